"""Cutting the latest events out of histories, newest first.

A history is a slice `[start, end)` of flat event columns. Newest first means that position 0 is
always the event just before the prediction, whatever the history's length, so that positions are
counted from the end and padding stands at the back. The same function cuts training prefixes and
serving requests.
"""

from __future__ import annotations

import tensorflow as tf


def window(
    values: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor, length: int | tf.Tensor
) -> tf.Tensor:
    """The latest `length` events before each end.

    Args:
        values: [events], one flat event column.
        starts: integer [batch], first event of each history.
        ends: integer [batch], one past the last event that may be seen.
        length: window length.

    Returns:
        [batch, length] of `values`' dtype, newest first, 0 where a history is shorter.

    Example:
        >>> items = tf.constant([7, 8, 9, 5])  # two users: 7 8 9, and 5
        >>> window(items, tf.constant([0, 3]), tf.constant([3, 4]), 2).numpy().tolist()
        [[9, 8], [5, 0]]
    """
    index = tf.cast(ends, tf.int32)[:, None] - 1 - tf.range(length)[None, :]
    inside = index >= tf.cast(starts, tf.int32)[:, None]
    # One zero behind the last event is what positions outside a history read.
    padded = tf.concat([values, tf.zeros([1], values.dtype)], axis=0)
    return tf.gather(padded, tf.where(inside, index, tf.size(values)))
