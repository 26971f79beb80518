"""The models by shelf: items that a user had, and items that are new to the user."""

from __future__ import annotations

import polars as pl

from components.cluster_combiner.record import Lift, ShelfFigures, ShelvesRecord
from components.cluster_combiner.shelf_values import (
    NDCG,
    RECALL,
    SHELF_MEASURES,
    SHELVES,
    shelf_column,
)
from components.cluster_combiner.worth import lift
from trainer.evaluation.compared_models import COMBINER, FREE, IN_RESULTS
from trainer.raw_history import VALIDATION
from trainer.shelves import Shelf

JUDGED = (NDCG, RECALL)
"""Measures of a shelf's list in which the combiner is compared with the best rule."""


def shelves_record(table: pl.DataFrame) -> ShelvesRecord | None:
    """All models on both shelves; None where items that a user had are left out.

    Args:
        table: see `comparison.rank_table`, the combiner as it is served.
    """
    models = [
        model
        for model in IN_RESULTS
        if shelf_column(model, SHELVES[0], SHELF_MEASURES[0]) in table.columns
    ]
    if not models:
        return None
    rules = {
        (shelf, measure): _best_rule(table, models, shelf, measure)
        for shelf in SHELVES
        for measure in JUDGED
    }
    splits = {}
    for split in table["split"].unique(maintain_order=True).to_list():
        rows = table.filter(pl.col("split") == split)
        splits[split] = {
            shelf: _figures(rows, models, shelf, {m: rules[shelf, m] for m in JUDGED})
            for shelf in SHELVES
        }
    return ShelvesRecord(splits=splits)


def _figures(
    rows: pl.DataFrame, models: list[str], shelf: Shelf, rules: dict[str, str | None]
) -> ShelfFigures:
    """The figures of one shelf on the users who took anything from it."""
    users = rows.filter(pl.col(shelf_column(models[0], shelf, RECALL)).is_not_null())
    return ShelfFigures(
        users=users.height,
        models={
            model: {m: _mean(users, model, shelf, m) for m in SHELF_MEASURES} for model in models
        },
        lifts={
            measure: _lift(users, shelf, measure, rule)
            for measure, rule in rules.items()
            if rule is not None and COMBINER in models
        },
    )


def _lift(users: pl.DataFrame, shelf: Shelf, measure: str, rule: str) -> Lift:
    return lift(users, COMBINER, rule, measure=f"{shelf}_{measure}")


def _best_rule(table: pl.DataFrame, models: list[str], shelf: Shelf, measure: str) -> str | None:
    """The free baseline that does best on the validation users; None without any."""
    users = table.filter(pl.col("split") == VALIDATION)
    values = {
        model: _mean(users, model, shelf, measure) or 0.0 for model in models if model in FREE
    }
    return max(values, key=lambda model: values[model]) if values else None


def _mean(users: pl.DataFrame, model: str, shelf: Shelf, measure: str) -> float | None:
    """Over the users who took anything from the shelf; None without any."""
    mean = users[shelf_column(model, shelf, measure)].mean()
    return None if mean is None else float(mean)  # type: ignore[arg-type]
