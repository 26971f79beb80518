"""The models by shelf: what users had before, and what was new to them."""

from __future__ import annotations

import dataclasses

from components.cluster_combiner.record import ComparisonRecord, Lift, ShelfFigures
from components.cluster_combiner.shelf_values import SHELF_MEASURES
from components.run_report import formats as fmt
from components.run_report.views.lifts import difference, verdict
from components.run_report.views.model_tables import OverallTable, Row, marked
from trainer.evaluation.compared_models import COMPARED_MODELS
from trainer.shelves import NEW, OWN, Shelf

_TITLES = {OWN: "items they had before", NEW: "items new to them"}
_METRICS = {
    OWN: ["Recall@10", "NDCG@10", "Repeat recall@10"],
    NEW: ["Recall@10", "NDCG@10", "Explore recall@10"],
}


@dataclasses.dataclass(frozen=True)
class ShelfLift:
    """The combiner against the best rule of one shelf in one measure."""

    shelf: str
    measure: str
    rule: str
    difference: str
    says: str


@dataclasses.dataclass(frozen=True)
class ShelvesView:
    """The tables.

    Attributes:
        tables: the models on each shelf.
        lifts: the combiner against the best rules.
    """

    tables: list[OverallTable]
    lifts: list[ShelfLift]


def shelves_view(comparison: ComparisonRecord, split: str) -> ShelvesView | None:
    """The tables; None where there are no shelves, or nobody took anything from them.

    Args:
        comparison: of the run.
        split: whose users are shown.
    """
    record = comparison.shelves
    found = {} if record is None else record.splits.get(split, {})
    filled = {shelf: figures for shelf, figures in found.items() if figures.users}
    if not filled:
        return None
    return ShelvesView(
        tables=[_table(comparison, shelf, figures) for shelf, figures in filled.items()],
        lifts=[
            _lift(shelf, measure, lift)
            for shelf, figures in filled.items()
            for measure, lift in figures.lifts.items()
        ],
    )


def _table(comparison: ComparisonRecord, shelf: Shelf, figures: ShelfFigures) -> OverallTable:
    models = [model for model in comparison.on_shelves if model in figures.models]
    columns = [marked(m, [figures.models[x].get(m) for x in models]) for m in SHELF_MEASURES]
    return OverallTable(
        split=_TITLES[shelf],
        users=figures.users,
        metrics=_METRICS[shelf],
        rows=[
            Row(fmt.model_name(model), list(cells), colour=COMPARED_MODELS[model].colour)
            for model, *cells in zip(models, *columns, strict=True)
        ],
    )


def _lift(shelf: Shelf, measure: str, lift: Lift) -> ShelfLift:
    return ShelfLift(
        shelf=fmt.words(_TITLES[shelf]),
        measure=fmt.metric_name(measure),
        rule=fmt.model_name(lift.against),
        difference=difference(lift),
        says=verdict(lift, "rule"),
    )
