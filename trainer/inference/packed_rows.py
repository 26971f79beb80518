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
    """The visible events of a batch as rows, one after the other, without the padding between.

    Args:
        items: int32 [batch, length], 0 = padding. The newest place is visible even when empty.
        users: which member works on which row of `items`.

    Attributes:
        users: as given: how the newest places belong to members.
        members: how the visible events belong to members.
        mask: float32 [1, batch, 1, length], to be added to scores of attention.
        few: bool [], whether a product of attention is so small that Eigen is as fast as oneDNN,
            which takes longer to start.
    """

    def __init__(self, items: tf.Tensor, users: MemberRows) -> None:
        self._batch, self._length = tf.unstack(tf.shape(items))
        visible = (items > 0) | (tf.range(self._length) == 0)[None, :]
        flat = tf.reshape(visible, [-1])  # [batch * length]
        # int32 [visible], where in the flat batch each row comes from.
        self._place_of_row = tf.cast(tf.squeeze(tf.where(flat), axis=1), tf.int32)
        # int32 [batch * length], the row of each place; padding shows the row before it.
        self._row_of_place = tf.cumsum(tf.cast(flat, tf.int32)) - 1
        self._newest_rows = tf.reshape(self._row_of_place, [-1, self._length])[:, 0]  # [batch]
        self.users = users
        self.members = users.at(self._place_of_row // self._length)
        self.mask = tf.where(visible, 0.0, HIDDEN)[None, :, None, :]
        self.few = self._batch * self._length * self._length < _FEW_PAIRS

    def packed(self, x: tf.Tensor) -> tf.Tensor:
        """Rows [G, visible, n] of [G, batch, length, n], or of [G, batch * length, n]."""
        flat = tf.reshape(x, [x.shape[0], -1, x.shape[-1]])
        return tf.gather(flat, self._place_of_row, axis=1)

    def padded(self, rows: tf.Tensor, parts: int = 1) -> tf.Tensor:
        """The inverse of `packed`; what stands in the places of padding means nothing.

        Args:
            rows: [G, visible, parts * n].
            parts: how many pieces of width n each row is cut into.

        Returns:
            [G, batch, length * parts, n].
        """
        x = tf.gather(rows, self._row_of_place, axis=1)
        shape = [rows.shape[0], self._batch, self._length * parts, rows.shape[-1] // parts]
        return tf.reshape(x, shape)

    def newest(self, rows: tf.Tensor) -> tf.Tensor:
        """The rows of the newest places, [G, batch, n]."""
        return tf.gather(rows, self._newest_rows, axis=1)
