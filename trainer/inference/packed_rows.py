"""The events of a batch without its padding.

A batch is as long as its longest history, and most histories are short: what is computed row by row
need not be computed for padding.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.encoder.transformer_block import HIDDEN
from trainer.inference.member_rows import MemberRows

_FEW_PAIRS = 4_000
"""Pairs of events, summed over users, up to which Eigen multiplies as fast as oneDNN."""


class PackedRows:
    """Where the visible events stand; rows are these alone, one after the other.

    Args:
        items: int32 [batch, length], 0 = padding. The newest place is visible even when empty.
        users: which member works on which row of `items`.

    Attributes:
        mask: float32 [1, batch, 1, length], to be added to scores of attention.
        few: bool [], whether a product of attention is over sooner than oneDNN starts.
        users: as given; of the newest places.
        members: the same of all visible places.
    """

    def __init__(self, items: tf.Tensor, users: MemberRows) -> None:
        self._batch, self._length = tf.unstack(tf.shape(items))
        visible = (items > 0) | (tf.range(self._length) == 0)[None, :]
        flat = tf.reshape(visible, [-1])
        self._place = tf.cast(tf.squeeze(tf.where(flat), axis=1), tf.int32)
        # Padding shows the row before it.
        self._row = tf.cumsum(tf.cast(flat, tf.int32)) - 1
        self._newest = tf.reshape(self._row, [-1, self._length])[:, 0]
        self.users = users
        self.members = users.at(self._place // self._length)
        self.mask = tf.where(visible, 0.0, HIDDEN)[None, :, None, :]
        self.few = self._batch * self._length * self._length < _FEW_PAIRS

    def packed(self, x: tf.Tensor) -> tf.Tensor:
        """Rows [G, visible, n] of [G, batch, length, n], or of [G, batch * length, n]."""
        flat = tf.reshape(x, [x.shape[0], -1, x.shape[-1]])
        return tf.gather(flat, self._place, axis=1)

    def padded(self, rows: tf.Tensor, parts: int = 1) -> tf.Tensor:
        """The inverse, with anything in the places of padding.

        Args:
            rows: [G, visible, parts * n].
            parts: into how many rows each is cut.

        Returns:
            [G, batch, length * parts, n].
        """
        x = tf.gather(rows, self._row, axis=1)
        shape = [rows.shape[0], self._batch, self._length * parts, rows.shape[-1] // parts]
        return tf.reshape(x, shape)

    def newest(self, rows: tf.Tensor) -> tf.Tensor:
        """The rows of the newest places, [G, batch, n]."""
        return tf.gather(rows, self._newest, axis=1)
