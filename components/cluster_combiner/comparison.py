"""Every model of `trainer.evaluation.compared_models` on the same users."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from components.cluster_combiner.record import (
    ComparisonRecord,
    CountedRecord,
    Metrics,
    PeersRecord,
    ShelvesRecord,
    SliceComparison,
    SplitComparison,
)
from components.cluster_combiner.shelf_values import shelf_values
from trainer.data.histories import Histories
from trainer.encoder.encoder import BehaviorEncoder
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.compared_models import (
    COMBINER,
    ENCODER,
    GLOBAL,
    IN_RESULTS,
)
from trainer.evaluation.metrics import (
    BASKET_CUTOFFS,
    BASKET_PRIMARY,
    basket_metric_names,
    basket_values,
    ranking_metrics,
)
from trainer.evaluation.scorer import Scorer
from trainer.evaluation_config import EvaluationConfig, Task
from trainer.raw_history import LENGTH_BUCKETS, length_buckets
from trainer.shelves import ALL, NEW, OWN

FREQUENCY_BANDS = ("0", "1-5", "6-20", "21+")
"""How often the next item occurs in the training histories."""
_BAND_STARTS = np.array([1, 6, 21])


class Ranks(NamedTuple):
    """What one model does on one split.

    Attributes:
        next_item: int [users], rank of the next item, 0 where there is none.
        held_out: int [items], rank of each item of `Baskets`, 0 if it is not listed.
        on_shelf: int [items], the same on the shelf that the item stands on for its user; None
            where there are no shelves, because items that the user had are left out.
    """

    next_item: np.ndarray
    held_out: np.ndarray
    on_shelf: np.ndarray | None = None


def rank_models(
    split: str,
    histories: Histories,
    scorer: Scorer,
    clusters: np.ndarray,
    queries: dict[str, np.ndarray],
    encoder: BehaviorEncoder,
    counts: np.ndarray,
    without_queries: Callable[[Histories, Baskets], dict[str, Ranks]],
) -> pl.DataFrame:
    """Ranks what the users took next, under every model's queries and without any.

    Args:
        split: name of the split.
        histories: its users.
        scorer: over the histories.
        clusters: int64 [users], -1 for users who belong to none.
        queries: model to float32 [users, width].
        encoder: the global encoder, whose catalogue is scored.
        counts: int64 [items], see `rank_table`.
        without_queries: ranks of the free baselines and the peers, by key.

    Returns:
        See `rank_table`.
    """
    baskets = Baskets.of(histories, encoder.catalogue.items, encoder.exclude_seen)

    ranked: list[tuple[bool, np.ndarray, Ranks]] = []

    def ranks(name: str, query: np.ndarray) -> Ranks:
        raised = name != ENCODER
        # Specialists that were refused leave the global encoder's queries to several models.
        for before, known, found in ranked:
            if before == raised and np.array_equal(known, query):
                return found
        ranked.append((raised, query, rank(query, raised)))
        return ranked[-1][-1]

    def rank(query: np.ndarray, raised: bool) -> Ranks:
        next_item, lists = scorer.shown(query, max(BASKET_CUTOFFS), float(raised))
        places = {shelf: baskets.ranks_in(listed) for shelf, listed in lists.items()}
        if len(places) == 1:
            return Ranks(next_item, places[ALL])
        return Ranks(next_item, places[ALL], np.where(baskets.own, places[OWN], places[NEW]))

    models = without_queries(histories, baskets)
    models |= {name: ranks(name, query) for name, query in queries.items()}
    return rank_table(split, histories, baskets, counts, clusters, models)


def rank_table(
    split: str,
    histories: Histories,
    baskets: Baskets,
    counts: np.ndarray,
    clusters: np.ndarray,
    models: dict[str, Ranks],
) -> pl.DataFrame:
    """One row per user with a next item.

    Args:
        split: name of the split.
        histories: its users.
        baskets: what they took next.
        counts: int64 [items], training events of item `i` at `counts[i - 1]`.
        clusters: int64 [users], -1 for users who belong to none.
        models: ranks of `global`, `routed` and `combiner`, of free baselines, and perhaps of
            `encoder`, peers and controls.

    Returns:
        Columns split, cluster, history_length, held_out (how many items the user took next),
        target_frequency (training events of the most frequent of them; 0 where the model knows
        none), the rank of the next item under each model, `MODEL_METRIC` for each model and each
        metric of `basket_metric_names`, and those of `shelf_values` where there are shelves.
    """
    table = pl.DataFrame(
        {
            "split": [split] * len(histories),
            "cluster": clusters.astype(np.int64),
            "history_length": length_buckets(histories.lengths).astype(str).tolist(),
            "held_out": np.diff(baskets.splits),
            "target_frequency": _most_frequent(baskets, counts),
            **{name: found.next_item.astype(np.int64) for name, found in models.items()},
        }
    )
    values = [
        pl.Series(f"{name}_{metric}", basket_values(found.held_out, baskets.splits, metric))
        for name, found in models.items()
        for metric in basket_metric_names()
    ]
    for name, found in models.items():
        if found.on_shelf is not None:
            values += shelf_values(name, found.held_out, found.on_shelf, baskets)
    return table.with_columns(values).filter(pl.Series(histories.next_item > 0))


def primary_values(rows: pl.DataFrame, model: str) -> np.ndarray:
    """float64 [users], NDCG@10 of everything that a user took next (see `Scorer.values`).

    Args:
        rows: of `rank_table`.
        model: one of its models.
    """
    return rows[f"{model}_{BASKET_PRIMARY}"].to_numpy()


def summarise(
    table: pl.DataFrame,
    evaluation: EvaluationConfig,
    counted: CountedRecord | None = None,
    peers: PeersRecord | None = None,
    target_actions: Sequence[str] = (),
    shelves: ShelvesRecord | None = None,
) -> ComparisonRecord:
    """Metrics per split, overall and by slice.

    The users who belong to no cluster are the slice "-1" of `by_cluster`.

    Args:
        table: of `rank_table`.
        evaluation: what models are asked for.
        counted: how the free baselines were chosen.
        peers: how the peers were chosen, if there are any.
        target_actions: what models are asked for; none: every action.
        shelves: the figures by shelf, if there are shelves.
    """
    task = evaluation.resolved(several=bool((table["held_out"] > 1).any()))
    bands = np.searchsorted(_BAND_STARTS, table["target_frequency"].to_numpy(), side="right")
    table = table.with_columns(band=pl.Series(np.array(FREQUENCY_BANDS)[bands].tolist()))
    clusters = table["cluster"].unique().sort().to_list()
    splits = {}
    for split in table["split"].unique(maintain_order=True).to_list():
        rows = table.filter(pl.col("split") == split)
        splits[split] = SplitComparison(
            users=rows.height,
            overall=_metrics(rows, task),
            by_cluster=_by(rows, task, "cluster", clusters),
            by_history_length=_by(rows, task, "history_length", LENGTH_BUCKETS),
            by_target_frequency=_by(rows, task, "band", FREQUENCY_BANDS),
        )
    return ComparisonRecord(
        task=task,
        period_days=evaluation.period_days if task == "next_period" else None,
        target_actions=list(target_actions),
        models=_compared(table),
        splits=splits,
        counted=counted,
        peers=peers,
        shelves=shelves,
    )


def serve_global(table: pl.DataFrame) -> pl.DataFrame:
    """The table with the combiner's columns as they are when it is the global encoder."""
    columns = [name for name in table.columns if re.match(f"{GLOBAL}(_|$)", name)]
    return table.with_columns(
        pl.col(name).alias(COMBINER + name.removeprefix(GLOBAL)) for name in columns
    )


def _most_frequent(baskets: Baskets, counts: np.ndarray) -> np.ndarray:
    """int64 [users], training events of the most frequent item of each basket.

    Not those of its first item: the order inside a basket must change no figure.
    """
    known = np.concatenate([[0], counts, [0]])
    users = np.repeat(np.arange(len(baskets.splits) - 1), np.diff(baskets.splits))
    most = np.zeros(len(baskets.splits) - 1, np.int64)
    np.maximum.at(most, users, known[np.minimum(baskets.items, len(counts) + 1)])
    return most


def _by(
    rows: pl.DataFrame, task: Task, column: str, values: Sequence[Any]
) -> dict[str, SliceComparison]:
    """Metrics of the users with each of the values that occurs."""
    return {
        str(value): SliceComparison(users=part.height, models=_metrics(part, task))
        for value in values
        if (part := rows.filter(pl.col(column) == value)).height
    }


def _metrics(rows: pl.DataFrame, task: Task) -> dict[str, Metrics]:
    metrics: dict[str, Metrics] = {
        name: {**ranking_metrics(rows[name].to_numpy())} for name in _compared(rows)
    }
    if task != "next_item" and rows.height:
        for name in metrics:
            for metric in basket_metric_names():
                metrics[name][metric] = float(rows[f"{name}_{metric}"].to_numpy().mean())
    return metrics


def _compared(rows: pl.DataFrame) -> list[str]:
    """Those of `IN_RESULTS` that the table has."""
    return [name for name in IN_RESULTS if name in rows.columns]
