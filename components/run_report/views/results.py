"""Which model is best, for whom: tables and charts of the comparison."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from components.cluster_combiner.record import (
    ComparisonRecord,
    Metrics,
    SliceComparison,
    SplitComparison,
)
from components.run_report import formats as fmt
from components.run_report.charts.bars import Bar, Group, bar_chart
from components.run_report.views.model_tables import OverallTable, Row, marked
from components.run_report.views.peers import PeersView, peers_view
from components.run_report.views.shelves import ShelvesView, shelves_view
from trainer.evaluation.compared_models import COMBINER, COMPARED_MODELS, FREE, GLOBAL

METRICS = ("hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr", "coverage@20")
BASKET_METRICS = (
    "basket_recall@10",
    "basket_recall@20",
    "basket_ndcg@10",
    "basket_ndcg@20",
)


@dataclasses.dataclass(frozen=True)
class SliceTable:
    """Slices x models by the primary measure, as a table and as a chart."""

    models: list[str]
    rows: list[Row]
    chart: Markup
    has_few: bool


@dataclasses.dataclass(frozen=True)
class Results:
    """The whole section.

    `asked` names the task, `asked_item` its first item, `measure` the primary measure; `peers` and
    `shelves` are None without any.
    """

    split: str
    asked: str
    asked_item: str
    measure: str
    overall: list[OverallTable]
    baskets: list[OverallTable]
    shelves: ShelvesView | None
    peers: PeersView | None
    legend: list[tuple[str, str]]
    by_cluster: SliceTable | None
    by_length: SliceTable | None
    by_frequency: SliceTable | None


class Judged(NamedTuple):
    """The split whose figures count.

    Attributes:
        name: of the split.
        split: its figures.
        metric: the primary measure, by which the models are judged.
        title: its name for people.
        opponent: the best free baseline, as chosen on validation; None where that is not known.
        item: the first held-out item for people, "next item".
    """

    name: str
    split: SplitComparison
    metric: str
    title: str
    opponent: str | None
    item: str

    def value(self, metrics: Metrics | None) -> float | None:
        """A model's primary measure; None where it is not known."""
        return value(metrics, self.metric)

    def overall(self, model: str) -> float | None:
        """A model's primary measure on all users."""
        return self.value(self.split.overall.get(model))


def results(comparison: ComparisonRecord) -> Results | None:
    """The section; None when no split holds a figure."""
    judged = judged_split(comparison)
    if judged is None:
        return None
    name, split = judged.name, judged.split
    models = [model for model in _models(comparison, split) if model in comparison.in_slices]
    order = [name, *(other for other in comparison.splits if other != name)]
    tables = [
        _overall(comparison, part, METRICS) for part in order if comparison.splits[part].overall
    ]
    baskets = [_overall(comparison, part, BASKET_METRICS) for part in order]
    return Results(
        split=name,
        asked=comparison.asked,
        asked_item=comparison.asked_item,
        measure=judged.title,
        overall=tables,
        baskets=[table for table in baskets if table.metrics],
        shelves=shelves_view(comparison, name),
        peers=peers_view(comparison, name),
        legend=[(fmt.model_name(model), COMPARED_MODELS[model].colour) for model in models],
        by_cluster=_slices(judged, split.by_cluster, models, "Cluster {}", "clusters"),
        by_length=_slices(judged, split.by_history_length, models, "{} events", "history lengths"),
        by_frequency=_slices(
            judged, split.by_target_frequency, models, "{} times", "training frequency"
        ),
    )


def judged_split(comparison: ComparisonRecord) -> Judged | None:
    """The split that counts: test, or validation when the test split has no figures."""
    for name in ("test", "validation", *comparison.splits):
        split = comparison.splits.get(name)
        metric = comparison.primary
        if split is not None and any(metric in metrics for metrics in split.overall.values()):
            opponent = comparison.counted.opponent if comparison.counted else None
            return Judged(
                name, split, metric, comparison.primary_title, opponent, comparison.asked_item
            )
    return None


def value(metrics: Metrics | None, name: str) -> float | None:
    """A finite figure or None."""
    found = (metrics or {}).get(name)
    return found if fmt.known(found) else None


def best_free(judged: Judged) -> tuple[str, float] | None:
    """The strongest of the baselines that cost nothing, and its primary measure.

    The one that validation users chose; where that is not known, the best of the split itself.
    """
    asked = FREE if judged.opponent is None else (judged.opponent,)
    scores = {model: score for model in asked if (score := judged.overall(model)) is not None}
    return max(scores.items(), key=lambda pair: pair[1]) if scores else None


def _models(comparison: ComparisonRecord, split: SplitComparison) -> list[str]:
    """Models with figures, in the order of the file."""
    named = [model for model in comparison.models if model in split.overall]
    return named + [model for model in split.overall if model not in named]


def _users(models: Mapping[str, Metrics]) -> int | None:
    """How many users the figures of a slice stand for."""
    counts = [int(n) for m in models.values() if (n := value(m, "users")) is not None]
    return max(counts, default=None)


def _overall(comparison: ComparisonRecord, name: str, wanted: Sequence[str]) -> OverallTable:
    """The wanted metrics that were measured on a split."""
    split = comparison.splits[name]
    models = _models(comparison, split)
    metrics = [m for m in wanted if any(value(split.overall[x], m) is not None for x in models)]
    columns = [marked(m, [value(split.overall[x], m) for x in models]) for m in metrics]
    rows = [
        Row(fmt.model_name(model), list(cells), colour=COMPARED_MODELS[model].colour)
        for model, *cells in zip(models, *columns, strict=True)
    ]
    return OverallTable(
        split=name,
        users=split.users if split.users is not None else _users(split.overall),
        metrics=[fmt.metric_name(m.removeprefix("basket_")) for m in metrics],
        rows=rows,
    )


def _slices(
    judged: Judged,
    slices: Mapping[str, SliceComparison],
    models: list[str],
    label: str,
    what: str,
) -> SliceTable | None:
    """The primary measure of every model in every slice that has users."""
    filled = {name: s for name, s in slices.items() if s.models and _slice_users(s) != 0}
    if not filled:
        return None
    rows, groups = [], []
    for name in sorted(filled, key=_order):
        part = filled[name]
        scores = {model: judged.value(part.models.get(model)) for model in models}
        title = fmt.cluster_name(-1) if name == "-1" else label.format(name)
        users = _slice_users(part)
        rows.append(
            Row(
                title,
                marked(judged.metric, list(scores.values())),
                users=users,
                difference=_difference(scores.get(COMBINER), scores.get(GLOBAL)),
            )
        )
        bars = tuple(
            Bar(
                score, COMPARED_MODELS[m].colour, fmt.metric(score), f"{title}, {fmt.model_name(m)}"
            )
            for m, score in scores.items()
        )
        groups.append(Group(title, bars, f"{fmt.integer(users)} users" if users else ""))
    chart = bar_chart(
        groups,
        label=f"{judged.title} by {what} and model",
        x_title=judged.title,
        width=760,
        bar_height=13,
        name_width=120,
    )
    return SliceTable(
        [fmt.model_name(m) for m in models], rows, chart, any(row.few for row in rows)
    )


def _difference(score: float | None, reference: float | None) -> str:
    if score is None or reference is None:
        return fmt.MISSING
    return fmt.signed_metric(score - reference)


def _slice_users(part: SliceComparison) -> int | None:
    return part.users if part.users is not None else _users(part.models)


def _order(name: str) -> tuple[int, str]:
    """By the number that a name begins with: clusters, history lengths, frequencies."""
    number = re.match(r"\d+", name)
    return (int(number[0]), name) if number else (sys.maxsize, name)
