"""Which items follow which: counted transitions beside the encoder, which generalises.

An encoder gives every item a vector and can only approximate what was seen once or twice between
two rare items; counting remembers it. A history h (1 = latest event) raises the score of item j by

    bonus_j = sum_p exp(-p / 5) S[h_p, j],
    S[i, j] = C[i, j] / (n_i + 50) / sqrt(f_j + 10),

where C[i, j] counts how often j followed i in the training histories, each time weighted by
exp(-p / 5) for the p events between them, n_i is how often i was followed by anything, counted the
same way, and f_j how often j followed anything. This is item-to-item collaborative filtering
(Linden, Smith and York 2003) in the order of time, as sequential rules are (Ludewig and Jannach
2018), shrunk towards nothing where little was seen. Only the strongest of a row are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import tensorflow as tf

from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.sampling import training_samples

REACH = 20
"""How many of a user's latest events raise scores; the next one would weigh less than .02."""
FOLLOWERS = 50
"""How many of an item's followers are kept."""
_DECAY = 5.0
_SHRINKAGE = 50.0
_RARE = 10.0
_MOST_EVENTS = 4_000_000
"""At most how many events are counted that follow another; of a longer log, a random sample."""


@dataclass(frozen=True)
class ItemTransitions:
    """What follows each item of a catalogue.

    Attributes:
        followers: int32 [items + 1, n] item indices, 0 = none; row 0 is empty.
        strengths: float16 [items + 1, n], what each follower's score gains right after the item; 0
            where there is no follower.
    """

    followers: np.ndarray
    strengths: np.ndarray

    def times(self, factor: float) -> ItemTransitions:
        """The same with all strengths multiplied."""
        strengths = (self.strengths.astype(np.float32) * factor).astype(np.float16)
        return replace(self, strengths=strengths)


class TransitionBonus(tf.Module):
    """Raises the scores of items that followed a user's latest ones.

    Args:
        transitions: copied into variables, since constants would make a graph as large as they.
    """

    def __init__(self, transitions: ItemTransitions) -> None:
        super().__init__()
        self._followers = tf.Variable(transitions.followers, trainable=False)
        self._strengths = tf.Variable(transitions.strengths, trainable=False)

    def bonus(self, history: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Which items' scores are raised by the items of histories, and by how much.

        Args:
            history: int32 [batch, length] item indices, newest first; 0 = padding, and indices
                above the catalogue are unknown items.

        Returns:
            item int32 [batch, m] and bonus float32 [batch, m], at least 0; an item may come several
            times, and what it got adds up. 0 = no item.
        """
        latest = history[:, :REACH]
        known = tf.where(latest < self._followers.shape[0], latest, 0)
        decay = tf.exp(-tf.range(tf.shape(latest)[1], dtype=tf.float32) / _DECAY)
        strength = tf.cast(tf.gather(self._strengths, known), tf.float32)
        shape = tf.stack([tf.shape(latest)[0], tf.size(decay) * self._followers.shape[1]])
        item = tf.gather(self._followers, known)
        return tf.reshape(item, shape), tf.reshape(strength * decay[:, None], shape)

    def raise_scores(
        self, scores: tf.Tensor, history: tf.Tensor, share: tf.Tensor | float = 1.0
    ) -> tf.Tensor:
        """Scores of the whole catalogue with the bonus in them.

        Args:
            scores: float32 [batch, items + 1].
            history: see `bonus`.
            share: a number or float32 [], what the bonus is multiplied with.
        """
        item, bonus = self.bonus(history)
        row = tf.broadcast_to(tf.range(tf.shape(item)[0])[:, None], tf.shape(item))
        place = tf.stack([row, item], axis=-1)
        return tf.tensor_scatter_nd_add(scores, place, share * bonus)


def count_transitions(histories: Histories, items: int) -> ItemTransitions:
    """Counts which items follow which in training histories.

    A basket has no order: all its items follow the events before it, and share one count.

    Args:
        histories: whole ones; held-out items are not in them.
        items: catalogue size.
    """
    item = histories.columns[features.ITEM].astype(np.int64)
    item = np.where(item <= items, item, 0)
    samples = training_samples(histories)
    sizes = samples.target_ends - samples.ends
    place = np.repeat(samples.ends, sizes) + _steps(sizes)
    start, end = np.repeat(samples.starts, sizes), np.repeat(samples.ends, sizes)
    part = np.repeat(1.0 / sizes, sizes)
    if len(place) > _MOST_EVENTS:
        drawn = np.random.default_rng(0).choice(len(place), _MOST_EVENTS, replace=False)
        place, start, end, part = place[drawn], start[drawn], end[drawn], part[drawn]
    counts = sp.csr_matrix((items + 1, items + 1), dtype=np.float32)
    for step in range(REACH):
        before = end - 1 - step
        there = before >= start
        source, target = item[before[there]], item[place[there]]
        weight = np.where((source > 0) & (target > 0), part[there], 0) * np.exp(-step / _DECAY)
        shape = counts.shape
        counts = counts + sp.csr_matrix((weight.astype(np.float32), (source, target)), shape)
    popularity = np.bincount(item[place], part, items + 1)
    left = 1.0 / (np.asarray(counts.sum(axis=1)).ravel() + _SHRINKAGE)
    right = 1.0 / np.sqrt(popularity + _RARE)
    return _strongest((sp.diags(left) @ counts @ sp.diags(right)).tocoo(), items)


def _steps(sizes: np.ndarray) -> np.ndarray:
    """0 … size - 1 for each size, one after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)


def _strongest(matrix: sp.coo_matrix, items: int) -> ItemTransitions:
    """The largest entries of each row, ties by item index; all scaled to a maximum of 1."""
    positive = matrix.data > 0
    row, column, value = matrix.row[positive], matrix.col[positive], matrix.data[positive]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    rank = _steps(np.bincount(row, minlength=items + 1))
    kept = rank < FOLLOWERS
    followers = np.zeros((items + 1, FOLLOWERS), np.int32)
    strengths = np.zeros((items + 1, FOLLOWERS), np.float32)
    followers[row[kept], rank[kept]] = column[kept]
    strengths[row[kept], rank[kept]] = value[kept] / value.max(initial=1e-30)
    return ItemTransitions(followers, strengths.astype(np.float16))
