"""Every model on the same users: popularity, own items, global, routed, combiner."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from trainer.baselines import own_items_ranks, popularity_ranks
from trainer.histories import length_buckets
from trainer.input import Histories
from trainer.metrics import ranking_metrics

MODELS = ("popularity", "own_items", "global", "routed", "combiner")


def rank_table(
    split: str,
    histories: Histories,
    item_column: np.ndarray,
    counts: np.ndarray,
    clusters: np.ndarray,
    model_ranks: dict[str, np.ndarray],
    exclude_seen: bool,
) -> pl.DataFrame:
    """One row per user with a next item.

    Args:
        split: name of the split.
        histories: its users.
        item_column: int32 [events] item indices of the histories.
        counts: [items] training events per item.
        clusters: int64 [users].
        model_ranks: ranks int [users] of `global`, `routed` and `combiner`.
        exclude_seen: whether the histories' items are left out of the ranking.

    Returns:
        Columns split, cluster, history_length, and a rank per model.
    """
    arguments = (counts, item_column, histories.splits, histories.next_item, exclude_seen)
    ranks = {
        "popularity": popularity_ranks(*arguments),
        "own_items": own_items_ranks(*arguments),
        **model_ranks,
    }
    table = pl.DataFrame(
        {
            "split": [split] * len(histories),
            "cluster": clusters.astype(np.int64),
            "history_length": length_buckets(histories.lengths).astype(str).tolist(),
            **{name: ranks[name].astype(np.int64) for name in MODELS},
        }
    )
    return table.filter(pl.Series(histories.next_item > 0))


def summarise(table: pl.DataFrame) -> dict[str, Any]:
    """The content of `comparison.json`: metrics per split, overall and by slice."""
    splits = {}
    for split in table["split"].unique(maintain_order=True).to_list():
        rows = table.filter(pl.col("split") == split)
        splits[split] = {
            "users": rows.height,
            "overall": _metrics(rows),
            "by_cluster": _by(rows, "cluster"),
            "by_history_length": _by(rows, "history_length"),
        }
    return {"models": list(MODELS), "splits": splits}


def _by(rows: pl.DataFrame, column: str) -> dict[str, Any]:
    values = rows[column].unique().sort().to_list()
    return {
        str(value): {"users": part.height, "models": _metrics(part)}
        for value in values
        if (part := rows.filter(pl.col(column) == value)).height
    }


def _metrics(rows: pl.DataFrame) -> dict[str, dict[str, float]]:
    return {name: ranking_metrics(rows[name].to_numpy()) for name in MODELS}
