"""The items that users already have, with how often, flat and by history."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class OwnCounts(NamedTuple):
    """Distinct known items of a batch of histories: flat, ordered by row and strength.

    Attributes:
        batch: int64 [], how many histories.
        row: int64 [own items], whose it is.
        item: int64 [own items], from 0.
        count: int64 [own items], how often it occurs.
    """

    batch: tf.Tensor
    row: tf.Tensor
    item: tf.Tensor
    count: tf.Tensor

    def sum_rows(self, values: tf.Tensor) -> tf.Tensor:
        """Sums flat values by history: [own items] -> [batch]."""
        return tf.math.unsorted_segment_sum(values, self.row, self.batch)

    def to_dense(self, values: tf.Tensor, padding: float) -> tf.Tensor:
        """Lays flat values out by history: [own items] -> [batch, most own items]."""
        return tf.RaggedTensor.from_value_rowids(values, self.row, self.batch).to_tensor(padding)
