"""What `cohortrec simulate` prints."""

from __future__ import annotations

from pathlib import Path

from tfx_pipeline.simulation.simulated_log import EVENTS, ITEMS, LABELS, TRUTH, SimulatedLog
from tfx_pipeline.terminal.console import Console

_ORACLES = {
    "popularity": "nothing (popularity)",
    "latest_item": "the latest item",
    "history": "the whole history",
    "cluster": "the cluster and the history",
    "user": "the cluster, the own taste and the history",
}


def show(log: SimulatedLog, directory: Path, console: Console) -> None:
    """Prints the figures of a written log, and how to run the pipeline on it."""
    facts, clusters = log.truth["log"], log.truth["clusters"]
    console.line(
        f"{facts['events']:,} events of {facts['users']:,} users on {facts['items_bought']:,} "
        f"items, {facts['first_event']} to {facts['last_event']}"
    )
    sizes = ", ".join(f"{users:,}" for users in clusters["users_after"])
    console.line(f"Users by cluster: {sizes}")
    if clusters["drifted"]:
        console.line(
            f"Moved to another cluster at {clusters['drift_time']}: {clusters['drifted']:,}"
        )
    if funnel := log.truth.get("funnel"):
        counts = ", ".join(f"{name} {count:,}" for name, count in funnel.items())
        console.line(f"Each of these events is a decision; written are {counts}")
    for name, what in (("items", "items"), ("next_item", "the next item")):
        if distance := log.truth["distances"][name]:
            console.line(
                f"Mean distance between the clusters' distributions of {what}: "
                f"total variation {distance['total_variation']:.3f}, "
                f"Jensen-Shannon {distance['jensen_shannon_distance']:.3f}"
            )
    console.heading("The next item at best, for one who knows the model and …")
    oracle = log.truth["oracle"]
    rows = [
        [what, f"{oracle[name]['hr_at_10']:.4f}", f"{oracle[name]['ndcg_at_10']:.4f}"]
        for name, what in _ORACLES.items()
        if name in oracle
    ]
    console.table(["", "HR@10", "NDCG@10"], rows)
    console.line()
    for name in (EVENTS, ITEMS, LABELS, TRUTH):
        console.line(str(directory / name))
