"""How the benchmark's figures are shown, in tables that fit a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfx_pipeline.benchmark.figures import DIFFERENCES
from tfx_pipeline.benchmark.published import METRICS, PublishedRow
from tfx_pipeline.local.resources import StageUsage
from tfx_pipeline.terminal.console import Console
from tfx_pipeline.terminal.run_progress import duration
from trainer.evaluation.compared_models import COMBINER, ENCODER, FREE, GLOBAL, PEERS
from trainer.evaluation.metrics import metric_names
from trainer.raw_history import TEST

Figure = Mapping[str, float]
_HEADLINE = "ndcg@10"
_PEERS_OF_A_TABLE = 4


def show_split(split: str, figures: Mapping[str, Any], console: Console) -> None:
    """The tables of one split, free baselines, peers and models: a row per metric, a column each.

    Args:
        split: its name.
        figures: from `benchmark_figures.split_figures`, with `targets_in_history`.
        console: where to print.
    """
    users = figures["users"]
    when = ", scored once, after every choice was made on validation" if split == TEST else ""
    console.heading(f"{split.capitalize()}, {users:,} users{when}")
    models = figures["models"]
    pairs = [pair for pair in DIFFERENCES if " - ".join(pair) in models]
    alone = [name for name in models if name not in map(" - ".join, pairs)]
    # Several tables, because all models side by side are wider than a terminal.
    free, peers = ([name for name in alone if name in kind] for kind in (FREE, PEERS))
    ours = [name for name in alone if name not in (*free, *peers)]
    starts = range(0, len(peers), _PEERS_OF_A_TABLE)
    parts = [peers[start : start + _PEERS_OF_A_TABLE] for start in starts]
    for names in (free, *parts, ours):
        console.table(
            ["", *names],
            [
                [metric.upper(), *(with_half_width(models[model][metric]) for model in names)]
                for metric in metric_names()
            ],
        )
    if ENCODER in alone:
        console.line(
            "encoder: the global encoder without item transitions; right of it all have them."
        )
    for a, b in pairs:
        times = models[a][_HEADLINE]["mean"] / max(models[b][_HEADLINE]["mean"], 1e-9)
        change = with_interval(models[f"{a} - {b}"][_HEADLINE])
        console.line(f"{a} against {b}: {times:.3f} times the {_HEADLINE.upper()}, {change}")
    if seen := figures["targets_in_history"]:
        console.line(
            f"{seen:,} of these users ({seen / users:.1%}) take an item next that is in their "
            "history."
        )
        console.line("Seen items are left out of the ranking, so these users count as misses.")


def show_published(
    figures: Mapping[str, Any], rows: Sequence[PublishedRow], data_set: str, console: Console
) -> None:
    """Our test figures above the published ones.

    Args:
        figures: of the test split.
        rows: published ones, possibly none.
        data_set: what the benchmark ran on.
        console: where to print.
    """
    if not rows:
        console.line()
        console.line(f"No published results are known for {data_set!r}.")
        return
    ours = {model: figures["models"][model] for model in (GLOBAL, COMBINER)}
    console.heading("Test, beside published results")
    console.table(
        ["", *(metric.upper() for metric in METRICS)],
        [
            *(
                [f"cohortrec, {model}", *(f"{figure[name]['mean']:.4f}" for name in METRICS)]
                for model, figure in ours.items()
            ),
            *(
                [row.model, *("–" if value is None else f"{value:.4f}" for value in row.values)]
                for row in rows
            ),
        ],
    )


def show_stages(
    stages: Sequence[StageUsage], seconds: float, peak_bytes: int | None, console: Console
) -> None:
    """What each node cost, and the whole run.

    Args:
        stages: in the order in which they ran.
        seconds: wall time of the run.
        peak_bytes: largest sample of the run.
        console: where to print.
    """
    console.heading("Cost of each stage")
    console.table(
        ["stage", "wall time", "peak memory"],
        [
            *(
                [stage.node, "cached", ""]
                if stage.seconds is None
                else [stage.node, duration(stage.seconds), _memory(stage.peak_bytes)]
                for stage in stages
            ),
            ["whole run", duration(seconds), _memory(peak_bytes)],
        ],
    )


def show_gates(baseline: str, gates: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What the gates would have said: each failure is a warning.

    Args:
        baseline: what the model was compared with.
        gates: decisions with `passed` and `sentence`.
        console: where to print.
    """
    console.heading(f"Gates, against {baseline}; here they only warn")
    for gate in gates:
        console.line(f"  {'passed ' if gate['passed'] else 'WARNING'}  {gate['sentence']}")


def with_half_width(figure: Figure) -> str:
    """The mean and half of its interval's width, as 0.0579 ±.0029."""
    half = f"{(figure['high'] - figure['low']) / 2:.4f}".removeprefix("0")
    return f"{figure['mean']:.4f} ±{half}"


def with_interval(figure: Figure) -> str:
    """A difference and its interval, as +.0012 [-.0003, +.0027]."""
    low, high = signed(figure["low"]), signed(figure["high"])
    return f"{signed(figure['mean'])} [{low}, {high}]"


def signed(value: float) -> str:
    """A difference, as +.0012."""
    return f"{value:+.4f}".replace("0.", ".", 1)


def _memory(peak_bytes: int | None) -> str:
    return "–" if peak_bytes is None else f"{peak_bytes / 1e9:.2f} GB"
