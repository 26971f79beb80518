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

import itertools
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import tensorflow as tf

from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.item_lists import added
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
_MOST_PAIRS = 8_000_000
"""Pairs of an item and a follower that are summed at once. This bounds the memory: 4 million events
make up to 80 million pairs."""


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
        return added(scores, item, share * bonus)


def count_transitions(histories: Histories, items: int) -> ItemTransitions:
    """Counts which items follow which in training histories.

    A basket has no order: all its items follow the events before it, and share one count.

    Args:
        histories: whole ones; held-out items are not in them.
        items: catalogue size.
    """
    targets = _Targets.of(histories, items)
    pairs = np.zeros(items + 1, np.int64)
    for step in range(REACH):
        pairs += np.bincount(targets.pairs(step)[0], minlength=items + 1)
    right = 1.0 / np.sqrt(np.bincount(targets.item, targets.part, items + 1) + _RARE)
    followers = np.zeros((items + 1, FOLLOWERS), np.int32)
    kept = [
        _count_some(targets, first, end, right, followers[first:end])
        for first, end in _row_blocks(pairs)
    ]
    values = np.concatenate([*kept, np.zeros(0)])
    strengths = np.zeros((items + 1, FOLLOWERS), np.float32)
    strengths[followers > 0] = values / values.max(initial=1e-30)
    return ItemTransitions(followers, strengths.astype(np.float16))


@dataclass(frozen=True)
class _Targets:
    """Events that follow others, int64 [targets] but for the first and the last.

    Attributes:
        log: int64 [events], the items of all histories, 0 = unknown.
        item: which items they are of, 0 = unknown.
        starts: first event of the history.
        ends: one past the events before the instant.
        part: float64 [targets], their share of the instant.
    """

    log: np.ndarray
    item: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    part: np.ndarray

    @classmethod
    def of(cls, histories: Histories, items: int) -> _Targets:
        """Of training histories, at most `_MOST_EVENTS`."""
        log = histories.columns[features.ITEM].astype(np.int64)
        log = np.where(log <= items, log, 0)
        samples = training_samples(histories)
        sizes = samples.target_ends - samples.ends
        place = np.repeat(samples.ends, sizes) + _steps(sizes)
        start, end = np.repeat(samples.starts, sizes), np.repeat(samples.ends, sizes)
        part = np.repeat(1.0 / sizes, sizes)
        if len(place) > _MOST_EVENTS:
            drawn = np.random.default_rng(0).choice(len(place), _MOST_EVENTS, replace=False)
            place, start, end, part = place[drawn], start[drawn], end[drawn], part[drawn]
        return cls(log, log[place], start, end, part)

    def pairs(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Which items stand `step` events before the last one, and which targets they have.

        Returns:
            Item index int64 [pairs], 0 = unknown, and place int64 [pairs] in the arrays here.
        """
        before = self.ends - 1 - step
        there = np.flatnonzero(before >= self.starts)
        return self.log[before[there]], there


def _row_blocks(pairs: np.ndarray) -> list[tuple[int, int]]:
    """First item, and one past the last, of blocks of about `_MOST_PAIRS` pairs.

    Args:
        pairs: int64 [items + 1], of each item; those of item 0 do not count.
    """
    before = np.cumsum(pairs) - pairs - pairs[0]
    cuts = 2 + np.flatnonzero(np.diff(before[1:] // _MOST_PAIRS))
    edges = [1, *cuts.tolist(), len(pairs)]
    return list(itertools.pairwise(edges))


def _count_some(
    targets: _Targets, first: int, end: int, right: np.ndarray, followers: np.ndarray
) -> np.ndarray:
    """Counts what follows the items from `first` to `end - 1`.

    Args:
        targets: of the whole log.
        first: item index.
        end: item index.
        right: float64 [items + 1], what the counts of each follower are multiplied with.
        followers: int32 [end - first, n] zeros; the strongest of each row are written here.

    Returns:
        S of the module's docstring, float64, for each of these in the order of rows.
    """
    shape = end - first, len(right)
    counts = sp.csr_matrix(shape, dtype=np.float32)
    for step in range(REACH):
        source, place = targets.pairs(step)
        here = (source >= first) & (source < end)
        source, place = source[here] - first, place[here]
        target = targets.item[place]
        weight = np.where(target > 0, targets.part[place], 0) * np.exp(-step / _DECAY)
        counts = counts + sp.csr_matrix((weight.astype(np.float32), (source, target)), shape)
    left = 1.0 / (np.asarray(counts.sum(axis=1)).ravel() + _SHRINKAGE)
    matrix = counts.tocoo()
    return _strongest(
        matrix.row, matrix.col, left[matrix.row] * matrix.data * right[matrix.col], followers
    )


def _steps(sizes: np.ndarray) -> np.ndarray:
    """0 … size - 1 for each size, one after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)


def _strongest(
    row: np.ndarray, column: np.ndarray, value: np.ndarray, followers: np.ndarray
) -> np.ndarray:
    """Writes the columns of each row's largest positive values, ties by column; gives the values.

    Args:
        row: integer [entries].
        column: integer [entries].
        value: float64 [entries].
        followers: int32 [rows, n], is written.
    """
    positive = value > 0
    row, column, value = row[positive], column[positive], value[positive]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    rank = _steps(np.bincount(row, minlength=len(followers)))
    kept = rank < followers.shape[1]
    followers[row[kept], rank[kept]] = column[kept]
    return value[kept]
