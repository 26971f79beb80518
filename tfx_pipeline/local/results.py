"""What a run shows at its end: results by model and slice, the gates, three customers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.cluster_combiner.record import (
    ComparisonRecord,
    Metrics,
    SliceComparison,
)
from components.cluster_combiner.shelf_values import NDCG, RECALL, RECALL_IN_ALL
from components.gates.verdict import Verdict
from components.sequence_clusterer.evaluation_record import EvaluationRecord
from tfx_pipeline.dag import nodes
from tfx_pipeline.local.customers import show_customers
from tfx_pipeline.local.local_runner import Outcome
from tfx_pipeline.local.run_directory import RunDirectory
from tfx_pipeline.settings.run_config import RunConfig
from tfx_pipeline.terminal.console import Console
from trainer.evaluation.compared_models import title
from trainer.raw_history import NOISE, TEST
from trainer.shelves import NEW, OWN

OVERALL_METRICS = ("hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr", "coverage@20")
BASKET_METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")
SHELVES = {
    OWN: ("items that they had", "repeat recall@10"),
    NEW: ("items new to them", "explore recall@10"),
}
"""What stands on each shelf, and what its recall in the list of all is called."""


def show(outcome: Outcome, directory: RunDirectory, config: RunConfig, console: Console) -> None:
    """Prints the results of a run and writes its `metrics.json`."""
    comparison = ComparisonRecord.read(str(outcome.artifact(nodes.COMBINER, "comparison")))
    clustering = EvaluationRecord.read(str(outcome.artifact(nodes.CLUSTERER, "evaluation")))
    test, models = comparison.splits[TEST], comparison.models
    show_baskets(comparison, console)
    show_overall(test.overall, models, console, comparison.asked_item)
    show_shelves(comparison, console)
    show_peers(comparison, console)
    show_behavior(comparison, console)
    show_clusters(comparison, console)
    show_frequencies(comparison, console)
    show_gates(outcome.verdict, outcome.served, console)
    if not outcome.trained:
        console.line("  nothing was trained (all from cache)")
    split = outcome.artifact(nodes.CLUSTERER, "examples") / "Split-test"
    customers = show_customers(
        outcome.served or outcome.candidate, split, config.run.shown_customers, console
    )
    _show_places(outcome, directory, console)
    figures = {
        "status": outcome.verdict.status,
        "served": str(outcome.served) if outcome.served else None,
        "trained": outcome.trained,
        "asked_for": comparison.asked,
        "comparison": comparison.to_json(),
        "clustering": clustering.to_json(),
        "baseline": outcome.verdict.against,
        "gates": [dataclasses.asdict(decision) for decision in outcome.verdict.decisions],
        "customers": customers,
    }
    directory.metrics.write_text(
        json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def show_overall(
    overall: Mapping[str, Metrics],
    models: Sequence[str],
    console: Console,
    asked_item: str = "next item",
) -> None:
    """The table of all models by the one item that each test user took next."""
    metrics = [name for name in OVERALL_METRICS if any(name in overall[model] for model in models)]
    console.heading(f"Test users, the {asked_item}")
    console.table(
        ["model", *(name.upper() if name != "coverage@20" else "coverage@20" for name in metrics)],
        [
            [
                title(model),
                *(_figure(overall[model].get(name)) for name in metrics),
            ]
            for model in models
        ],
    )


def show_baskets(comparison: ComparisonRecord, console: Console) -> None:
    """The table of all models by all held-out items; nothing where that is one item each."""
    overall, models = comparison.splits[TEST].overall, comparison.models
    names = {name: f"basket_{name}" for name in BASKET_METRICS}
    if not any(name in overall[model] for model in models for name in names.values()):
        return
    console.heading(f"Test users, the whole {comparison.asked}")
    console.table(
        ["model", *(shown.replace("ndcg", "NDCG") for shown in names)],
        [
            [
                title(model),
                *(_figure(overall[model].get(name)) for name in names.values()),
            ]
            for model in models
        ],
    )


def show_shelves(comparison: ComparisonRecord, console: Console) -> None:
    """What users had before and what was new to them, each as a list of its own."""
    shelves = comparison.shelves.splits.get(TEST, {}) if comparison.shelves else {}
    for shelf, found in shelves.items():
        if not found.users:
            continue
        shown, in_all = SHELVES[shelf]
        console.heading(f"Test users, a list of {shown} only ({found.users:,} took some)")
        titles = {RECALL: RECALL, NDCG: "NDCG@10", RECALL_IN_ALL: in_all}
        console.table(
            ["model", *titles.values()],
            [
                [title(model), *(_figure(found.models[model].get(name)) for name in titles)]
                for model in comparison.on_shelves
                if model in found.models
            ],
        )
        for measure, lift in found.lifts.items():
            console.line(
                f"combiner minus {title(lift.against)}, {titles[measure]}: {lift.mean:+.4f} "
                f"({lift.low:+.4f} to {lift.high:+.4f})"
            )


def show_behavior(comparison: ComparisonRecord, console: Console) -> None:
    """How well the behaviour head foresees; nothing where none was asked for."""
    if comparison.behavior is None:
        return
    console.heading(f"How likely a user takes {' or '.join(comparison.behavior.actions)} soon")
    for output, figures in comparison.behavior.figures.items():
        console.line(f"{output}: {figures.why}")


def show_peers(comparison: ComparisonRecord, console: Console) -> None:
    """What is served against each peer; nothing where no peer was asked for."""
    peers = comparison.peers
    if peers is None:
        return
    console.heading(f"Combiner minus each peer, {comparison.primary_title} with 95 % interval")
    rows = [
        [
            title(lift.against),
            f"{lift.mean:+.4f}",
            f"{lift.low:+.4f} to {lift.high:+.4f}",
            peers.chosen[lift.against].constants,
        ]
        for lift in peers.lifts[TEST]
    ]
    if rows:
        console.table(["peer", "difference", "interval", "its constants"], rows)
    for kind, reason in peers.left_out.items():
        console.line(f"{title(kind)} is left out: {reason}")


def show_clusters(comparison: ComparisonRecord, console: Console) -> None:
    """The table of all models in each cluster."""
    parts = {int(name): part for name, part in comparison.splits[TEST].by_cluster.items()}
    clusters = [(str(k), parts[k]) for k in sorted(parts) if k != NOISE]
    if NOISE in parts:
        clusters.append(("none", parts[NOISE]))
    console.heading(f"Test users by cluster, {comparison.primary_title}")
    _slices(clusters, comparison, console)


def show_frequencies(comparison: ComparisonRecord, console: Console) -> None:
    """The table of all models by how often what came next occurs in the training histories."""
    test = comparison.splits[TEST]
    bands = [(f"{name}×", part) for name, part in test.by_target_frequency.items()]
    console.heading(
        f"Test users by how often what they took next is in training, {comparison.primary_title}"
    )
    _slices(bands, comparison, console)


def _slices(
    slices: Sequence[tuple[str, SliceComparison]], comparison: ComparisonRecord, console: Console
) -> None:
    """The primary measure, one column a slice, with its number of users."""
    console.table(
        ["model", *(f"{name} ({part.users:,})" for name, part in slices)],
        [
            [
                title(model),
                *(
                    _figure(part.models.get(model, {}).get(comparison.primary))
                    for _, part in slices
                ),
            ]
            for model in comparison.in_slices
        ],
    )


def show_gates(verdict: Verdict, served: Path | None, console: Console) -> None:
    """What each gate said, and what became of the model.

    Args:
        verdict: of the run.
        served: the stable version after the run.
        console: where to print.
    """
    console.heading(f"Gates, against {verdict.against}")
    if verdict.status == "already_served":
        console.line(f"  {verdict.sentence}")
        return
    for decision in verdict.decisions:
        mark = "passed" if decision.passed else "FAILED"
        console.line(f"  {mark}  {decision.sentence}")
    console.line(f"  {verdict.sentence}", style="bold")
    if verdict.status == "pushed" and served is not None and served.name != verdict.version:
        console.line(
            f"  it is the canary; version {served.name} stays stable until "
            "`cohortrec serving promote`"
        )


def _show_places(outcome: Outcome, directory: RunDirectory, console: Console) -> None:
    console.line()
    if outcome.served is not None:
        console.line(f"Model    {outcome.served}")
    console.line(f"Report   {directory.report}")
    console.line(f"Figures  {directory.metrics}")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
