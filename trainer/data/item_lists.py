"""Lists of item indices in a graph: what is among them, what their numbers add up to."""

from __future__ import annotations

import tensorflow as tf


def among(items: tf.Tensor, listed: tf.Tensor) -> tf.Tensor:
    """Whether each item is one of its row's listed ones, or padding.

    Args:
        items: int32 [batch, m].
        listed: int32 [batch, n], rising, 0 and above.

    Returns:
        Bool [batch, m].

    Example:
        >>> among(tf.constant([[3, 4, 0]]), tf.constant([[1, 3]])).numpy().tolist()
        [[True, False, True]]
    """
    # A place for padding, so that there is something to search in, and something to search.
    listed = tf.pad(listed, [[0, 0], [1, 0]])
    # Where an item would stand among the sorted ones tells whether it is one of them.
    place = tf.searchsorted(listed, tf.pad(items, [[0, 0], [0, 1]]))[:, :-1]
    found = tf.gather(tf.pad(listed, [[0, 0], [0, 1]], constant_values=-1), place, batch_dims=1)
    return found == items


def summed(item: tf.Tensor, value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Adds up what each item of a row has.

    Args:
        item: int32 [batch, n], 0 = padding.
        value: float32 [batch, n].

    Returns:
        The items of each row sorted, int32 [batch, n]; each item once, 0 in the places that are
        left, int32 [batch, n]; and the sum of its values there, float32 [batch, n].

    Example:
        >>> _, item, value = summed(tf.constant([[5, 2, 5]]), tf.constant([[1.0, 2.0, 3.0]]))
        >>> item.numpy().tolist(), value.numpy().tolist()
        ([[2, 5, 0]], [[2.0, 4.0, 0.0]])
    """
    shape = tf.shape(item)
    order = tf.argsort(item, axis=1)
    item, value = (tf.gather(x, order, batch_dims=1) for x in (item, value))
    new = tf.pad(item[:, 1:] != item[:, :-1], [[0, 0], [1, 0]], constant_values=True)
    new = new[:, : shape[1]]  # Of no columns there is no first one.
    group = tf.cumsum(tf.cast(new, tf.int32), axis=1) - 1 + tf.range(shape[0])[:, None] * shape[1]
    sums = tf.math.unsorted_segment_sum(value, group, shape[0] * shape[1])
    return item, tf.where(new, item, 0), tf.where(new, tf.gather(sums, group), 0.0)


def added(scores: tf.Tensor, item: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Scores of the whole catalogue, to which each listed item's values are added.

    Args:
        scores: float32 [batch, items + 1].
        item: int32 [batch, n], as often as they like.
        value: float32 [batch, n].

    Example:
        >>> added(tf.zeros([1, 4]), tf.constant([[3, 1, 3]]), tf.ones([1, 3])).numpy().tolist()
        [[0.0, 1.0, 0.0, 2.0]]
    """
    row = tf.broadcast_to(tf.range(tf.shape(item)[0])[:, None], tf.shape(item))
    return tf.tensor_scatter_nd_add(scores, tf.stack([row, item], axis=-1), value)
