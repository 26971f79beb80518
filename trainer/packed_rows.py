"""The events of a batch without its padding.

A batch is as long as its longest history, and most histories are short: what is computed row by row
need not be computed for padding.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.transformer_block import HIDDEN


class PackedRows:
    """Where the visible events stand; rows are these alone, one after the other.

    Args:
        items: int32 [batch, length], 0 = padding. The newest place is visible even when empty.
    """

    def __init__(self, items: tf.Tensor) -> None:
        self._batch, self._length = tf.shape(items)[0], tf.shape(items)[1]
        visible = (items > 0) | (tf.range(self._length) == 0)[None, :]
        flat = tf.reshape(visible, [-1])
        self._place = tf.squeeze(tf.where(flat), axis=1)
        # Padding shows the row before it.
        self._row = tf.cumsum(tf.cast(flat, tf.int32)) - 1
        self.mask = tf.where(visible, 0.0, HIDDEN)[None, :, None, :]

    def packed(self, x: tf.Tensor) -> tf.Tensor:
        """Rows [M, visible, n] of [M, batch, length, n]."""
        flat = tf.reshape(x, [x.shape[0], self._batch * self._length, x.shape[-1]])
        return tf.gather(flat, self._place, axis=1)

    def padded(self, rows: tf.Tensor) -> tf.Tensor:
        """The inverse: [M, batch, length, n], with anything in the places of padding."""
        x = tf.gather(rows, self._row, axis=1)
        return tf.reshape(x, [rows.shape[0], self._batch, self._length, rows.shape[-1]])

    def newest(self, rows: tf.Tensor) -> tf.Tensor:
        """The rows of the newest places, [M, batch, n]."""
        return tf.gather(rows, tf.reshape(self._row, [self._batch, self._length])[:, 0], axis=1)
