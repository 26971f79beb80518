"""Cutting the latest events out of histories, newest first.

A history is a slice `[start, end)` of flat event columns. Newest first means that position 0 is
always the event just before the prediction, whatever the history's length, so that positions are
counted from the end and padding stands at the back. The same function cuts training prefixes and
serving requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


def padded_columns(columns: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Flat event columns with a zero behind the last event, which padding reads.

    Args:
        columns: name -> [events], arrays or tensors.

    Returns:
        Name -> [events + 1]. Made once for many windows: a column may have millions of events.
    """
    return {
        name: tf.concat([column, tf.zeros([1], tf.convert_to_tensor(column).dtype)], axis=0)
        for name, column in columns.items()
    }


def window_places(
    starts: tf.Tensor, ends: tf.Tensor, length: int | tf.Tensor, events: tf.Tensor
) -> tf.Tensor:
    """Which events a window of each history has.

    Args:
        starts: integer [batch], first event of each history.
        ends: integer [batch], one past the last event that may be seen.
        length: window length.
        events: integer [], how many there are: the place of padding.

    Returns:
        int32 [batch, length], newest first; `events` where a history is shorter.
    """
    place = tf.cast(ends, tf.int32)[:, None] - 1 - tf.range(length)[None, :]
    return tf.where(place >= tf.cast(starts, tf.int32)[:, None], place, events)


def window(
    column: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor, length: int | tf.Tensor
) -> tf.Tensor:
    """The latest `length` events before each end.

    Args:
        column: [events + 1], one of `padded_columns`.
        starts: integer [batch], first event of each history.
        ends: integer [batch], one past the last event that may be seen.
        length: window length.

    Returns:
        [batch, length] of the column's dtype, newest first, 0 where a history is shorter.

    Example:
        >>> items = tf.constant([7, 8, 9, 5, 0])  # two users: 7 8 9, and 5
        >>> window(items, tf.constant([0, 3]), tf.constant([3, 4]), 2).numpy().tolist()
        [[9, 8], [5, 0]]
    """
    return tf.gather(column, window_places(starts, ends, length, tf.size(column) - 1))
