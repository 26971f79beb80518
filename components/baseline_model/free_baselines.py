"""Picks the better free baseline on the validation histories."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.baseline_model.record import Kind
from trainer.data.item_popularity import ItemPopularity, string_batches
from trainer.evaluation.baselines import own_items_ranks, popularity_ranks
from trainer.evaluation.metrics import ranking_metrics
from trainer.raw_history import ITEM_IDS, TARGET_ITEM_IDS

JUDGED_BY = "ndcg@10"


@dataclasses.dataclass(frozen=True)
class Choice:
    """The better free baseline.

    Attributes:
        kind: "own_items" or "popularity".
        metrics: metrics of each candidate on validation.
        reason: a sentence for people.
    """

    kind: Kind
    metrics: dict[str, dict[str, float]]
    reason: str


def choose(popularity: ItemPopularity, files: Sequence[str], exclude_seen: bool) -> Choice:
    """Picks the baseline with the better NDCG@10.

    Args:
        popularity: from the training histories.
        files: GZIP TFRecords of the validation histories.
        exclude_seen: items of the history are left out; own items are then no candidate.
    """
    ranks = _validation_ranks(popularity, files, exclude_seen)
    metrics = {kind: ranking_metrics(values) for kind, values in ranks.items()}
    if exclude_seen:
        return Choice("popularity", metrics, "items that the user already has are left out")
    if not metrics["popularity"]["users"]:
        return Choice("own_items", metrics, "there is no validation history to compare them on")
    kinds: tuple[Kind, Kind] = ("own_items", "popularity")
    best, other = sorted(kinds, key=lambda kind: metrics[kind][JUDGED_BY], reverse=True)
    return Choice(
        best,
        metrics,
        f"NDCG@10 on validation is {metrics[best][JUDGED_BY]:.4f}, against "
        f"{metrics[other][JUDGED_BY]:.4f} of {other.replace('_', ' ')}",
    )


def _validation_ranks(
    popularity: ItemPopularity, files: Sequence[str], exclude_seen: bool
) -> dict[str, npt.NDArray[np.int64]]:
    """Ranks of the targets, by kind of baseline; histories without a target are left out."""
    # Index 0 is the unknown item, as `trainer.evaluation.baselines` wants it.
    index = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            popularity.item_ids, np.arange(1, popularity.counts.size + 1), tf.string, tf.int64
        ),
        default_value=0,
    )
    rankers = {"popularity": popularity_ranks}
    if not exclude_seen:
        rankers["own_items"] = own_items_ranks
    ranks: dict[str, list[npt.NDArray[np.int64]]] = {kind: [] for kind in rankers}
    for batch in string_batches(files, ITEM_IDS, TARGET_ITEM_IDS):
        targets = batch[TARGET_ITEM_IDS]
        given = targets.row_lengths() > 0
        histories = tf.ragged.boolean_mask(batch[ITEM_IDS], given)
        first = index[tf.gather(targets.flat_values, tf.boolean_mask(targets.row_starts(), given))]
        for kind, ranker in rankers.items():
            ranks[kind].append(
                ranker(
                    popularity.counts,
                    index[histories.flat_values].numpy(),
                    histories.row_splits.numpy(),
                    first.numpy(),
                    exclude_seen,
                )
            )
    return {
        kind: np.concatenate(values or [np.zeros(0, np.int64)]) for kind, values in ranks.items()
    }
