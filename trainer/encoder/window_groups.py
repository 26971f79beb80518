"""Which events of a window belong together: those of one instant, and those of one item."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class Instants(NamedTuple):
    """The instants of each window, for each of its events: [batch, length]."""

    ago: tf.Tensor
    """float32, how many instants of the window came later."""
    size: tf.Tensor
    """float32, events of the instant."""
    opens: tf.Tensor
    """Bool, whether the event is the newest one of its instant; False for padding."""


def instants_of(items: tf.Tensor, times: tf.Tensor) -> Instants:
    """Where each event stands among the instants, and how large its own one is.

    Args:
        items: int32 [batch, length], newest first, 0 = padding.
        times: int64 [batch, length].
    """
    batch, length = tf.shape(items)[0], tf.shape(items)[1]
    present = items > 0
    moved = _changes(times) | _changes(present)
    ago = tf.cumsum(tf.cast(moved, tf.int32), axis=1) - 1
    instant = ago + tf.range(batch)[:, None] * length
    flat, size = tf.reshape(instant, [-1]), batch * length
    events = tf.gather(tf.math.unsorted_segment_sum(tf.ones_like(flat), flat, size), instant)
    return Instants(
        ago=tf.cast(ago, tf.float32),
        size=tf.cast(events, tf.float32),
        opens=moved & present,
    )


class ItemRuns(NamedTuple):
    """Which events are of one item."""

    run: tf.Tensor
    """int32 [batch, length], one number for each item of each row; a row's begin at row * length
    and have no gaps."""
    counted: tf.Tensor
    """float32 [batch, length], 1 for one event of an item in each instant, 0 for the others."""
    most: tf.Tensor
    """int32 [], the most items of a row, padding among them."""


def item_runs_of(items: tf.Tensor, instants_ago: tf.Tensor) -> ItemRuns:
    """Sorts the events of each row by their items, and numbers the items."""
    batch, length = tf.shape(items)[0], tf.shape(items)[1]
    order = tf.argsort(items, axis=1, stable=True)
    starts = _changes(tf.gather(items, order, batch_dims=1))
    counted = starts | _changes(tf.gather(instants_ago, order, batch_dims=1))
    number = tf.cumsum(tf.cast(starts, tf.int32), axis=1) - 1
    # Of no rows, or rows of no length, the largest is the least number there is.
    most = tf.maximum(tf.reduce_max(number), -1) + 1
    row = tf.range(batch)[:, None] * length
    sorted_values = tf.stack([number + row, tf.cast(counted, tf.int32)], axis=-1)
    place = tf.reshape(order + row, [-1, 1])
    unsorted = tf.scatter_nd(
        place, tf.reshape(sorted_values, [-1, 2]), tf.stack([batch * length, 2])
    )
    run, counted = tf.unstack(tf.reshape(unsorted, [batch, length, 2]), axis=-1)
    return ItemRuns(run, tf.cast(counted, tf.float32), most)


def _changes(values: tf.Tensor) -> tf.Tensor:
    """Bool [batch, length], whether a value differs from the one before it; the first one does."""
    length = tf.shape(values)[1]
    first = tf.ones([tf.shape(values)[0], tf.minimum(length, 1)], tf.bool)
    return tf.concat([first, values[:, 1:] != values[:, :-1]], axis=1)
