"""The own items of training prefixes, and which of them came again: what a fit of repeats reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.sampling import Samples, Targets, training_samples
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.own_batches import own_batches
from trainer.encoder.own_items import FEATURE_NAMES

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_LATEST = 6
"""Instants of each user that are asked for: what a user does today, not a year ago."""
_MOST_PREFIXES = 15_000
_MOST_ROWS = 150_000
"""About so many own items that did not come again are kept."""
_TOP = 30
"""So many own items of a prefix, the most frequent of late, are all kept: the fit is for the first
ten places of a list, and what will never stand there needs no say in it."""
_REST_WEIGHT = 0.1
"""What each of the other own items counts."""
_BY = FEATURE_NAMES.index("share_20_instants")


class OwnRows(NamedTuple):
    """Own items of some prefixes: those that came again or may, and a sample of the rest.

    Attributes:
        prefix: int64 [rows], ascending.
        item: int64 [rows], item index.
        taken: bool [rows], whether what came next has the item.
        inputs: float32 [rows, features of `OwnItems` and statistics of the item].
        weight: float64 [rows], how much each counts, for those that were left out too.
        user: int64 [prefixes], whose they are.
        new_items: how many items of the catalogue came next that were new to their users.
    """

    prefix: Indices
    item: Indices
    taken: npt.NDArray[np.bool_]
    inputs: Floats
    weight: npt.NDArray[np.float64]
    user: Indices
    new_items: int

    @property
    def prefixes(self) -> int:
        """How many prefixes there are, those without a row among them."""
        return self.user.size


def latest_rows(
    catalogue: Catalogue,
    histories: Histories,
    own_events: int,
    period: float | None,
    rng: np.random.Generator,
) -> OwnRows | None:
    """The own items before the latest instants of the training users, or of some of the users.

    Args:
        catalogue: built, with the statistics of its items, which are read as they were then.
        histories: of the training split.
        own_events: window of the user's own items.
        period: what comes next is a period of so many seconds; None: an instant.
        rng: draws the users, if there are many, and the sample.

    Returns:
        None if no prefix has an own item.
    """
    samples, user = _latest_samples(histories, period, rng)
    windows = int(np.minimum(samples.ends - samples.starts, own_events).sum())
    share = min(1.0, _MOST_ROWS / max(windows, 1))
    wanted = _target_keys(samples, histories, catalogue.items)
    parts = []
    for prefix, item, inputs in _batches(catalogue, histories, samples, own_events):
        taken = np.isin(prefix * (catalogue.items + 1) + item, wanted)
        top = _places(prefix, inputs[:, _BY]) < _TOP
        kept = taken | top | (rng.random(len(taken)) < share)
        weight = np.where(top, 1.0, np.where(taken, _REST_WEIGHT, _REST_WEIGHT / share))
        parts.append((prefix[kept], item[kept], taken[kept], inputs[kept], weight[kept]))
    if not parts:
        return None
    prefix, item, taken, inputs, weight = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    new_items = wanted.size - int(taken.sum())
    return OwnRows(prefix, item, taken, inputs, weight, user, new_items)


def _places(prefix: Indices, scores: Floats) -> Indices:
    """int64 [rows], how many rows of the prefix have a higher score.

    Args:
        prefix: int64 [rows], ascending.
        scores: floats [rows].
    """
    order = np.lexsort((-scores, prefix))
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order)) - np.searchsorted(prefix, prefix, side="left")
    return places


def _latest_samples(
    histories: Histories, period: float | None, rng: np.random.Generator
) -> tuple[Samples, Indices]:
    """The latest prefixes of each user that are not empty, of some users if there are many.

    Where models are asked for some actions, only what came next with such an action counts.

    Returns:
        The prefixes, and the user of each, int64 [prefixes].
    """
    samples = training_samples(histories, period)
    user = np.searchsorted(histories.splits, samples.starts, side="right") - 1
    keep = samples.ends > samples.starts
    if histories.wanted is not None:
        keep &= Targets.of(samples, histories).asked
    left = np.append(np.cumsum(keep[::-1])[::-1], 0)
    keep &= left[:-1] - left[np.searchsorted(user, user, side="right")] <= _LATEST
    users, most = np.unique(user[keep]), _MOST_PREFIXES // _LATEST
    if users.size > most:
        keep &= np.isin(user, rng.choice(users, most, replace=False))
    latest = Samples(
        samples.starts[keep],
        samples.ends[keep],
        samples.target_ends[keep],
        samples.histories_end[keep],
    )
    return latest, user[keep]


def _target_keys(samples: Samples, histories: Histories, items: int) -> Indices:
    """`prefix * (items + 1) + item` of what came next, each once: int64 [targets], ascending."""
    targets = Targets.of(samples, histories)
    sizes = targets.ends - targets.starts
    prefix = np.repeat(np.arange(len(samples), dtype=np.int64), sizes)
    begins = np.cumsum(sizes) - sizes
    place = np.arange(len(prefix)) + np.repeat(targets.starts - begins, sizes)
    item = histories.columns[features.ITEM][targets.events[place]].astype(np.int64)
    known = (item > 0) & (item <= items)
    return np.unique((prefix * (items + 1) + item)[known])


def _batches(
    catalogue: Catalogue, histories: Histories, samples: Samples, own_events: int
) -> Iterator[tuple[Indices, Indices, Floats]]:
    """Prefix, item and inputs of the own items, some prefixes at a time."""
    time, trend = histories.columns[features.TIME], catalogue.biases.trend
    for rows, own in own_batches(histories, samples.starts, samples.ends, own_events):
        known = tf.where(own.item <= catalogue.items, own.item, 0)
        period = None if trend is None else trend.period_of(tf.constant(time[samples.ends[rows]]))
        statistics = tf.cast(catalogue.own_statistics(known, period), tf.float32).numpy()
        item = known.numpy()
        prefix, place = np.nonzero(item)
        inputs = [own.features.numpy()[prefix, place], statistics[prefix, place]]
        yield prefix + rows.start, item[prefix, place].astype(np.int64), np.concatenate(inputs, 1)
