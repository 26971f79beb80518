"""Every model of `trainer.evaluation.compared_models` on the same users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from components.cluster_combiner.record import (
    ComparisonRecord,
    Metrics,
    SliceComparison,
    SplitComparison,
)
from trainer.data import features
from trainer.data.histories import Histories
from trainer.encoder.encoder import BehaviorEncoder
from trainer.evaluation.baselines import own_items_ranks, popularity_ranks
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.compared_models import (
    COMBINER,
    ENCODER,
    GLOBAL,
    IN_RESULTS,
    OWN_ITEMS,
    POPULARITY,
)
from trainer.evaluation.metrics import (
    BASKET_CUTOFFS,
    basket_metric_names,
    basket_values,
    ranking_metrics,
)
from trainer.evaluation.scorer import Scorer
from trainer.raw_history import LENGTH_BUCKETS, length_buckets

FREQUENCY_BANDS = ("0", "1-5", "6-20", "21+")
"""How often the next item occurs in the training histories."""
_BAND_STARTS = np.array([1, 6, 21])


class Ranks(NamedTuple):
    """What one model does on one split.

    Attributes:
        next_item: int [users], rank of the next item, 0 where there is none.
        basket: int [items], rank of each item of `Baskets`, 0 if it is not listed; None where every
            basket is one item, so that the next item says it all.
    """

    next_item: np.ndarray
    basket: np.ndarray | None


def rank_models(
    split: str,
    histories: Histories,
    scorer: Scorer,
    clusters: np.ndarray,
    queries: dict[str, np.ndarray],
    encoder: BehaviorEncoder,
    counts: np.ndarray,
) -> pl.DataFrame:
    """Ranks the users' next items under every model's queries; baskets under `IN_RESULTS` only.

    Args:
        split: name of the split.
        histories: its users.
        scorer: over the histories.
        clusters: int64 [users], -1 for users who belong to none.
        queries: model to float32 [users, width].
        encoder: the global encoder, whose catalogue is scored.
        counts: int64 [items], see `rank_table`.

    Returns:
        See `rank_table`.
    """
    baskets = Baskets.of(histories, encoder.catalogue.items, encoder.exclude_seen)

    def ranks(name: str, query: np.ndarray) -> Ranks:
        share = float(name != ENCODER)
        next_item = scorer.ranks(query, share)
        if not baskets.several or name not in IN_RESULTS:
            return Ranks(next_item, None)
        return Ranks(next_item, baskets.ranks_in(scorer.lists(query, max(BASKET_CUTOFFS), share)))

    models = {name: ranks(name, query) for name, query in queries.items()}
    return rank_table(split, histories, baskets, counts, clusters, models, encoder.exclude_seen)


def rank_table(
    split: str,
    histories: Histories,
    baskets: Baskets,
    counts: np.ndarray,
    clusters: np.ndarray,
    models: dict[str, Ranks],
    exclude_seen: bool,
) -> pl.DataFrame:
    """One row per user with a next item.

    Args:
        split: name of the split.
        histories: its users.
        baskets: what they took next.
        counts: int64 [items], training events of item `i` at `counts[i - 1]`.
        clusters: int64 [users], -1 for users who belong to none.
        models: ranks of `global`, `routed` and `combiner`, and perhaps of `encoder` and controls.
        exclude_seen: whether the histories' items are left out of the ranking.

    Returns:
        Columns split, cluster, history_length, target_frequency (training events of the next item;
        0 for one that the model does not know), the rank of the next item under each model, and
        `MODEL_METRIC` for each of `IN_RESULTS` and each basket metric, null where every basket is
        one item.
    """
    ranks = _free_ranks(histories, baskets, counts, exclude_seen) | models
    known = np.concatenate([[0], counts, [0]])
    table = pl.DataFrame(
        {
            "split": [split] * len(histories),
            "cluster": clusters.astype(np.int64),
            "history_length": length_buckets(histories.lengths).astype(str).tolist(),
            "target_frequency": known[np.minimum(histories.next_item, len(counts) + 1)],
            **{name: found.next_item.astype(np.int64) for name, found in ranks.items()},
        }
    )
    values = [
        _basket_column(baskets, ranks[name], metric).alias(f"{name}_{metric}")
        for name in IN_RESULTS
        if name in ranks
        for metric in basket_metric_names()
    ]
    return table.with_columns(values).filter(pl.Series(histories.next_item > 0))


def summarise(table: pl.DataFrame) -> ComparisonRecord:
    """Metrics per split, overall and by slice.

    The users who belong to no cluster are the slice "-1" of `by_cluster`.
    """
    bands = np.searchsorted(_BAND_STARTS, table["target_frequency"].to_numpy(), side="right")
    table = table.with_columns(band=pl.Series(np.array(FREQUENCY_BANDS)[bands].tolist()))
    clusters = table["cluster"].unique().sort().to_list()
    splits = {}
    for split in table["split"].unique(maintain_order=True).to_list():
        rows = table.filter(pl.col("split") == split)
        splits[split] = SplitComparison(
            users=rows.height,
            overall=_metrics(rows),
            by_cluster=_by(rows, "cluster", clusters),
            by_history_length=_by(rows, "history_length", LENGTH_BUCKETS),
            by_target_frequency=_by(rows, "band", FREQUENCY_BANDS),
        )
    return ComparisonRecord(models=_compared(table), splits=splits)


def serve_global(table: pl.DataFrame) -> pl.DataFrame:
    """The table with the combiner's columns as they are when it is the global encoder."""
    columns = [name for name in table.columns if re.match(f"{GLOBAL}(_|$)", name)]
    return table.with_columns(
        pl.col(name).alias(COMBINER + name.removeprefix(GLOBAL)) for name in columns
    )


def _free_ranks(
    histories: Histories, baskets: Baskets, counts: np.ndarray, exclude_seen: bool
) -> dict[str, Ranks]:
    """The two baselines that cost nothing."""
    given = (counts, histories.columns[features.ITEM], histories.splits)
    ranks = {}
    for name, rank in ((POPULARITY, popularity_ranks), (OWN_ITEMS, own_items_ranks)):
        next_item = rank(*given, histories.next_item, exclude_seen)
        basket = None
        if baskets.several:
            basket = rank(*given, baskets.items, exclude_seen, baskets.splits)
            basket[basket > baskets.catalogue] = 0
        ranks[name] = Ranks(next_item, basket)
    return ranks


def _basket_column(baskets: Baskets, ranks: Ranks, metric: str) -> pl.Expr:
    if ranks.basket is None:
        return pl.lit(None, pl.Float64)
    return pl.lit(pl.Series(basket_values(ranks.basket, baskets.splits, metric)))


def _by(rows: pl.DataFrame, column: str, values: Sequence[Any]) -> dict[str, SliceComparison]:
    """Metrics of the users with each of the values that occurs."""
    return {
        str(value): SliceComparison(users=part.height, models=_metrics(part))
        for value in values
        if (part := rows.filter(pl.col(column) == value)).height
    }


def _metrics(rows: pl.DataFrame) -> dict[str, Metrics]:
    metrics: dict[str, Metrics] = {
        name: {**ranking_metrics(rows[name].to_numpy())} for name in _compared(rows)
    }
    for name in metrics:
        for metric in basket_metric_names():
            values = rows[f"{name}_{metric}"].drop_nulls().to_numpy()
            if values.size:
                metrics[name][metric] = float(values.mean())
    return metrics


def _compared(rows: pl.DataFrame) -> list[str]:
    """Those of `IN_RESULTS` that the table has."""
    return [name for name in IN_RESULTS if name in rows.columns]
