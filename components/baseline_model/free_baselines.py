"""Fits the free baselines to the training histories and picks one on validation."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.baseline_model.record import Kind
from components.behavior_example_gen.errors import DataError
from trainer.data.repeats import count_repeats
from trainer.evaluation.baselines import own_items_ranks, popularity_ranks
from trainer.evaluation.metrics import ranking_metrics
from trainer.raw_history import ITEM_IDS, TARGET_ITEM_IDS

HISTORIES_PER_BATCH = 4096
JUDGED_BY = "ndcg@10"


@dataclasses.dataclass(frozen=True)
class ItemPopularity:
    """The training events, counted.

    Attributes:
        item_ids: every item of the training histories, the most frequent first.
        counts: int64 [items], events of each.
        repeat_share: share of events, after each user's first, of an item the user already had.
    """

    item_ids: list[bytes]
    counts: npt.NDArray[np.int64]
    repeat_share: float


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


def count_items(files: Sequence[str]) -> ItemPopularity:
    """Reads the training histories once.

    Args:
        files: GZIP TFRecords of raw histories.

    Raises:
        DataError: there is no event in them.
    """
    totals: collections.Counter[bytes] = collections.Counter()
    repeats = later_events = 0
    for histories in _batches(files, ITEM_IDS):
        # Strings are hashed by TensorFlow; sorting them in numpy takes several times as long.
        ids, codes, counts = tf.unique_with_counts(histories[ITEM_IDS].flat_values)
        totals.update(dict(zip(ids.numpy().tolist(), counts.numpy().tolist(), strict=True)))
        batch = count_repeats(codes.numpy(), histories[ITEM_IDS].row_splits.numpy())
        repeats, later_events = repeats + batch[0], later_events + batch[1]
    if not totals:
        raise DataError(
            "the training histories hold no events, so there is nothing to count popularity from; "
            "check the split settings and the minimum counts of the section 'data'"
        )
    # Equal counts by falling id, as Transform orders its vocabulary: the comparison of models
    # ranks by that, and both should show the same figures.
    ordered = sorted(totals.items(), key=lambda entry: (entry[1], entry[0]), reverse=True)
    return ItemPopularity(
        item_ids=[item for item, _ in ordered],
        counts=np.array([count for _, count in ordered], np.int64),
        repeat_share=repeats / later_events if later_events else 0.0,
    )


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
    for batch in _batches(files, ITEM_IDS, TARGET_ITEM_IDS):
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


def _batches(files: Sequence[str], *features: str) -> Iterator[dict[str, Any]]:
    """Ragged string features of the histories, batch by batch."""
    columns = {name: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64) for name in features}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    yield from records.batch(HISTORIES_PER_BATCH).map(
        lambda batch: tf.io.parse_example(batch, columns)
    )
