"""The training events of every item, counted from the raw histories."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.data.repeats import count_repeats
from trainer.errors import DataError
from trainer.raw_history import ITEM_IDS

HISTORIES_PER_BATCH = 4096


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


def count_items(files: Sequence[str]) -> ItemPopularity:
    """Reads the training histories once.

    Args:
        files: GZIP TFRecords of raw histories.

    Raises:
        DataError: there is no event in them.
    """
    totals: collections.Counter[bytes] = collections.Counter()
    repeats = later_events = 0
    for histories in string_batches(files, ITEM_IDS):
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


def string_batches(files: Sequence[str], *features: str) -> Iterator[dict[str, Any]]:
    """Ragged string features [histories, values] of GZIP TFRecords of raw histories, in batches."""
    columns = {name: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64) for name in features}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    yield from records.batch(HISTORIES_PER_BATCH).map(
        lambda batch: tf.io.parse_example(batch, columns)
    )
