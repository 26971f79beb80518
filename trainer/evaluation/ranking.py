"""The ranking of the whole catalogue: where a target stands in it, and its first places."""

from __future__ import annotations

import tensorflow as tf

from trainer.encoder.catalogue import MASKED


def mask_items(scores: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """Takes items out of a ranking.

    Args:
        scores: float32 [batch, catalogue + 1].
        items: int32 [batch, n]; 0 and indices above the catalogue are ignored.
    """
    size = tf.shape(scores)[1]
    items = tf.where(items < size, items, 0)
    rows = tf.broadcast_to(tf.range(tf.shape(items)[0])[:, None], tf.shape(items))
    places = tf.stack([rows, items], axis=-1)
    return tf.tensor_scatter_nd_min(scores, places, tf.fill(tf.shape(items), MASKED))


def target_rank(
    scores: tf.Tensor, targets: tf.Tensor, excluded: tf.Tensor | None = None
) -> tf.Tensor:
    """1-based rank of each row's target.

    Args:
        scores: float32 [batch, catalogue + 1], index 0 masked.
        targets: integer [batch]; 0 = no target; above the catalogue = unknown item.
        excluded: int32 [batch, n] items that are not ranked.

    Returns:
        int32 [batch]: 0 without a target; catalogue + 1 for a target that is unknown or excluded,
        since no list can contain it. Equal scores rank by item index, as `top_k` orders them.
        Scores that are not numbers (a training that diverged) rank last: comparing with NaN is
        never true, which must not read as "none ahead".
    """
    size = tf.shape(scores)[1]
    targets = tf.cast(targets, tf.int32)
    known = tf.where(targets < size, targets, 0)
    wanted = tf.gather(scores, known, batch_dims=1)[:, None]
    possible = targets < size
    if excluded is not None:
        scores = mask_items(scores, excluded)
        possible &= ~tf.reduce_any(excluded == targets[:, None], axis=1)
    before = tf.range(size)[None, :] < known[:, None]
    behind = (scores < wanted) | ((scores == wanted) & ~before)
    rank = tf.minimum(1 + tf.reduce_sum(tf.cast(~behind, tf.int32), axis=1), size)
    return tf.where(targets == 0, 0, tf.where(possible, rank, size))


def top_list(scores: tf.Tensor, k: int | tf.Tensor, excluded: tf.Tensor | None = None) -> tf.Tensor:
    """The k best items of each row.

    Args:
        scores: float32 [batch, catalogue + 1], index 0 masked.
        k: length of the lists.
        excluded: int32 [batch, n] items that are not listed.

    Returns:
        int32 [batch, k], best first, equal scores by item index; 0 where no items are left.
    """
    if excluded is not None:
        scores = mask_items(scores, excluded)
    best, items = tf.math.top_k(scores, tf.minimum(k, tf.shape(scores)[1]))
    return _filled(best, items, k)


def top_of_items(scores: tf.Tensor, k: int | tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """The k best of some items of each row.

    Args:
        scores: float32 [batch, catalogue + 1], index 0 masked.
        k: length of the lists.
        items: int32 [batch, n], in any order and as often as they like; 0 and indices above the
            catalogue are ignored.

    Returns:
        int32 [batch, k], as `top_list` gives them where all other items are left out.
    """
    items = tf.sort(tf.where(items < tf.shape(scores)[1], items, 0), axis=1)
    first = tf.pad(items[:, 1:] != items[:, :-1], [[0, 0], [1, 0]], constant_values=True)
    scores = tf.where(first & (items > 0), tf.gather(scores, items, batch_dims=1), MASKED)
    best, place = tf.math.top_k(scores, tf.minimum(k, tf.shape(scores)[1]))
    return _filled(best, tf.gather(items, place, batch_dims=1), k)


def _filled(best: tf.Tensor, items: tf.Tensor, k: int | tf.Tensor) -> tf.Tensor:
    """Lists of k items, 0 in the places of masked scores and beyond the last one."""
    items = tf.where(best > MASKED / 2, items, 0)
    return tf.pad(items, [[0, 0], [0, k - tf.shape(items)[1]]])
