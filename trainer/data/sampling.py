"""Training samples: which prefixes of the histories are trained on, batched by length.

A sample is a prefix of a history and the items of the instant that follows it. A log of distinct
times gives one sample per prefix (Beauty: 131,413); where a basket shares one time, its items are
one sample with several targets, because their order is arbitrary and a request never comes in the
middle of a basket. Where models are asked for a period, the targets are the items of the period
that begins with that instant. Where they are asked for some actions only, a sample whose events
have such an action asks for the items with it, and says so; all others ask for any event.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import ASKED, cut_inputs, padded_length
from trainer.data.histories import Histories
from trainer.data.windows import padded_columns
from trainer.graphs import traced_as_is

EMPTY_PREFIX_SHARE = 0.1
"""Share of the users whose first item is also predicted from an empty history in an epoch, so that
a new user gets sensible recommendations."""
ASKED_SHARE = 0.25
"""Share of the samples of an epoch that ask for a target action, at least. Purchases are a few per
cent of a log; drawn as they come they would teach little of what is different about them."""
NEXT_TIME = "next_time"
"""Input int64 [batch]: epoch seconds at which the targets were taken."""


@dataclass(frozen=True)
class Samples:
    """Prefixes as slices of the flat event columns, int64 [samples] each.

    Attributes:
        starts: first event of the history.
        ends: one past the prefix; the targets begin here.
        target_ends: one past the targets.
        histories_end: one past the history.
    """

    starts: np.ndarray
    ends: np.ndarray
    target_ends: np.ndarray
    histories_end: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)


def training_samples(histories: Histories, period: float | None = None) -> Samples:
    """Every prefix that ends where an instant ends, from each user's `first_target` on.

    Args:
        histories: to take them from.
        period: the targets are the items of so many seconds; None: of one instant.
    """
    splits, events = histories.splits, int(histories.splits[-1])
    user = np.repeat(np.arange(len(histories)), histories.lengths)
    instants = np.flatnonzero(histories.opens_instant)
    if period is None:
        target_ends = np.append(instants[1:], events)
    else:
        target_ends = ends_of_periods(histories.columns[features.TIME], user, instants, period)
    position = instants - splits[user[instants]]
    keep = position >= histories.first_target[user[instants]]
    return Samples(
        starts=splits[user[instants]][keep],
        ends=instants[keep],
        target_ends=target_ends[keep],
        histories_end=splits[user[instants] + 1][keep],
    )


def ends_of_periods(
    times: np.ndarray, user: np.ndarray, begins: np.ndarray, period: float
) -> np.ndarray:
    """One past the last event of the period that begins with an event: int64 [begins].

    Args:
        times: int64 [events], ascending within a user.
        user: int64 [events], ascending.
        begins: the events.
        period: in seconds.
    """
    # All users on one time line, too far from each other for a period to reach the next one.
    since = times - times.min(initial=0)
    whole_seconds = math.ceil(period)
    line = since + user * (since.max(initial=0) + whole_seconds)
    return np.searchsorted(line, line[begins] + whole_seconds)


@dataclass(frozen=True)
class Targets:
    """What samples are trained on, as slices of a list of events.

    Attributes:
        events: int64 [m], events of the split: all, and behind them those with a target action.
        starts: int64 [samples], first place of the targets in the list.
        ends: int64 [samples], one past their last place.
        histories_end: int64 [samples], one past the last place of the history's events.
        asked: bool [samples], whether a target action is asked for.
    """

    events: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    histories_end: np.ndarray
    asked: np.ndarray

    @classmethod
    def of(cls, samples: Samples, histories: Histories) -> Targets:
        """Every event after the prefix, or where some have a target action, only these."""
        events = int(histories.splits[-1])
        whole = (samples.ends, samples.target_ends, samples.histories_end)
        if histories.wanted is None:
            return cls(np.arange(events), *whole, np.zeros(len(samples), bool))
        before = np.concatenate([[0], np.cumsum(histories.wanted)])
        asked = before[samples.target_ends] > before[samples.ends]
        starts, ends, last = (np.where(asked, events + before[part], part) for part in whole)
        wanted = np.flatnonzero(histories.wanted)
        return cls(np.concatenate([np.arange(events), wanted]), starts, ends, last, asked)


class SampleBatches:
    """Batches of training samples for `keras.Model.fit`, drawn anew every epoch.

    Args:
        histories: the split to train on.
        items: catalogue size; targets above it are out of vocabulary and dropped.
        batch_size: samples a batch.
        samples_per_epoch: upper bound of samples in an epoch.
        max_targets: upper bound of targets a sample; larger baskets show another part of
            themselves each epoch.
        later_items: how many items after these follow in the targets.
        max_events: window of the encoder.
        own_events: window of the user's own items; 0 leaves them out.
        seed: the same seed gives the same batches.
        period: see `training_samples`.
        first_is_next: the first target is the next item, whichever of the others are shown;
            otherwise all targets are drawn alike.
    """

    def __init__(
        self,
        histories: Histories,
        *,
        items: int,
        batch_size: int,
        samples_per_epoch: int,
        max_targets: int,
        later_items: int,
        max_events: int,
        own_events: int,
        seed: int,
        period: float | None = None,
        first_is_next: bool = True,
    ) -> None:
        self._histories = histories
        self._samples = _with_known_target(training_samples(histories, period), histories, items)
        self._target = Targets.of(self._samples, histories)
        self._asks = histories.wanted is not None
        self._empty = self._samples.starts == self._samples.ends
        self._items = items
        self._batch_size = batch_size
        self._limit = samples_per_epoch
        widest = int((self._target.ends - self._target.starts).max(initial=1))
        self._targets = min(max_targets, widest)
        self._later = later_items
        self._fixed = int(first_is_next)
        self._max_events = max_events
        self._own_events = own_events
        self._seed = seed

    def __len__(self) -> int:
        """Samples that can be drawn from (empty prefixes count by their share)."""
        return int((~self._empty).sum() + EMPTY_PREFIX_SHARE * self._empty.sum())

    @property
    def steps_per_epoch(self) -> int:
        """Batches in the first epoch; others differ by the empty prefixes that are drawn."""
        return len(self._plan(0)[1])

    def dataset(self, first_epoch: int = 0) -> tf.data.Dataset:
        """An endless stream of (inputs, targets) batches, epoch after epoch.

        Inputs are those of `cut_inputs`, `NEXT_TIME` and, of histories that know what is wanted,
        `ASKED`; targets int32 [batch, m + later_items], 0 = padding.

        Args:
            first_epoch: where a resumed training goes on.
        """
        spec = (
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, self._targets + self._later], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None], tf.float32),
        )
        columns = padded_columns(self._histories.columns)

        def inputs(
            starts: tf.Tensor,
            ends: tf.Tensor,
            places: tf.Tensor,
            length: tf.Tensor,
            own: tf.Tensor,
            asked: tf.Tensor,
        ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            targets = tf.gather(columns[features.ITEM], places)
            targets = tf.where(targets <= self._items, targets, 0)
            cut = cut_inputs(columns, starts, ends, length, own if self._own_events else None)
            if self._asks:
                cut[ASKED] = asked
            return {**cut, NEXT_TIME: tf.gather(columns[features.TIME], ends)}, targets

        dataset = tf.data.Dataset.from_generator(
            lambda: self._stream(first_epoch), output_signature=spec
        )
        return unsharded(dataset.map(traced_as_is(inputs), num_parallel_calls=2).prefetch(4))

    def _plan(self, epoch: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """The samples drawn in an epoch, and its batches as rows of these."""
        rng = np.random.default_rng((self._seed, epoch))
        use = ~self._empty | (rng.random(len(self._empty)) < EMPTY_PREFIX_SHARE)
        drawn_from = np.flatnonzero(use)
        if self._asks:
            drawn_from = _with_share(drawn_from, self._target.asked[drawn_from], ASKED_SHARE)
        chosen = rng.permutation(drawn_from)[: self._limit]
        # By the longer of both windows: a batch costs as much as its longest history, and own items
        # are read from up to a thousand events.
        longest = max(self._max_events, self._own_events)
        lengths = padded_length((self._samples.ends - self._samples.starts)[chosen], longest)
        return chosen, batches_by_length(lengths, lambda _: self._batch_size, rng)

    def _stream(self, epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        while True:
            chosen, batches = self._plan(epoch)
            rng = np.random.default_rng((self._seed, epoch, 1))
            for rows in batches:
                samples = chosen[rows]
                starts, ends = self._samples.starts[samples], self._samples.ends[samples]
                yield (
                    starts.astype(np.int32),
                    ends.astype(np.int32),
                    self._target_places(samples, rng),
                    padded_length(ends - starts, self._max_events).max().astype(np.int32),
                    padded_length(ends - starts, max(self._own_events, 1)).max().astype(np.int32),
                    self._target.asked[samples].astype(np.float32),
                )
            epoch += 1

    def _target_places(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Positions of the targets in the item column; the column's length = padding.

        The first place is the next item, unless all are drawn alike; the others are drawn from the
        rest of the targets. Behind them are the places of the items after these.
        """
        target = self._target
        first, end = target.starts[samples][:, None], target.ends[samples]
        drawn_from = first + self._fixed
        rest = end[:, None] - drawn_from  # [samples, 1], targets to draw from
        step = np.arange(self._targets - self._fixed)[None, :]
        # The rest of the basket as a ring, read from a random place on: every item of it has the
        # same chance, and none comes twice.
        ring = np.maximum(rest, 1)
        rotated = (rng.integers(0, ring) + step) % ring
        nothing = len(target.events)
        others = np.where(step < rest, drawn_from + rotated, nothing)
        later = end[:, None] + np.arange(self._later)[None, :]
        later = np.where(later < target.histories_end[samples][:, None], later, nothing)
        places = np.concatenate([first[:, : self._fixed], others, later], axis=1)
        padding = len(self._histories.columns[features.ITEM])
        return np.append(target.events, padding)[places].astype(np.int32)


def _with_known_target(samples: Samples, histories: Histories, items: int) -> Samples:
    """Samples with at least one target of the catalogue."""
    targets = Targets.of(samples, histories)
    known = histories.columns[features.ITEM][targets.events] <= items
    before = np.concatenate([[0], np.cumsum(known)])
    keep = before[targets.ends] > before[targets.starts]
    return Samples(
        samples.starts[keep],
        samples.ends[keep],
        samples.target_ends[keep],
        samples.histories_end[keep],
    )


def _with_share(rows: np.ndarray, asked: np.ndarray, share: float) -> np.ndarray:
    """Rows, those that are asked repeated a whole number of times until they are that share.

    Args:
        rows: int64 [n].
        asked: bool [n].
        share: below 1.
    """
    few, others = int(asked.sum()), int((~asked).sum())
    if not few:
        return rows
    times = max(1, math.ceil(share / (1 - share) * others / few))
    return np.concatenate([rows[~asked], np.tile(rows[asked], times)])


def batches_by_length(
    lengths: np.ndarray, size: Callable[[int], int], rng: np.random.Generator
) -> list[np.ndarray]:
    """Rows of one padded length each, in random order of the batches.

    Args:
        lengths: [rows], what each row is padded to.
        size: rows a batch, by the length.
        rng: orders the batches; rows stay in the given order.
    """
    batches = []
    for length in np.unique(lengths):
        rows, step = np.flatnonzero(lengths == length), size(int(length))
        batches += [rows[i : i + step] for i in range(0, len(rows), step)]
    return [batches[i] for i in rng.permutation(len(batches))]


def unsharded(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same dataset, of which every worker of a `tf.distribute` strategy reads all."""
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.with_options(options)
