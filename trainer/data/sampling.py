"""Training samples: which prefixes of the histories are trained on, batched by length.

A sample is a prefix of a history and the items of the instant that follows it. A log of distinct
times gives one sample per prefix (Beauty: 131,413); where a basket shares one time, its items are
one sample with several targets, because their order is arbitrary and a request never comes in the
middle of a basket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import cut_inputs, padded_length
from trainer.data.histories import Histories
from trainer.graphs import traced_as_is

EMPTY_PREFIX_SHARE = 0.1
"""Share of the users whose first item is also predicted from an empty history in an epoch, so that
a new user gets sensible recommendations."""
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


def training_samples(histories: Histories) -> Samples:
    """Every prefix that ends where an instant ends, from each user's `first_target` on."""
    splits, events = histories.splits, int(histories.splits[-1])
    user = np.repeat(np.arange(len(histories)), histories.lengths)
    instants = np.flatnonzero(histories.opens_instant)
    target_ends = np.append(instants[1:], events)
    position = instants - splits[user[instants]]
    keep = position >= histories.first_target[user[instants]]
    return Samples(
        starts=splits[user[instants]][keep],
        ends=instants[keep],
        target_ends=target_ends[keep],
        histories_end=splits[user[instants] + 1][keep],
    )


class SampleBatches:
    """Batches of training samples for `keras.Model.fit`, drawn anew every epoch.

    Args:
        histories: the split to train on.
        items: catalogue size; targets above it are out of vocabulary and dropped.
        batch_size: samples a batch.
        samples_per_epoch: upper bound of samples in an epoch.
        max_targets: upper bound of targets a sample; larger baskets show another part of
            themselves each epoch.
        later_items: how many items after those of the next instant follow in the targets.
        max_events: window of the encoder.
        own_events: window of the user's own items; 0 leaves them out.
        seed: the same seed gives the same batches.
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
    ) -> None:
        self._histories = histories
        self._samples = _with_known_target(training_samples(histories), histories, items)
        self._empty = self._samples.starts == self._samples.ends
        self._items = items
        self._batch_size = batch_size
        self._limit = samples_per_epoch
        widest = int((self._samples.target_ends - self._samples.ends).max(initial=1))
        self._targets = min(max_targets, widest)
        self._later = later_items
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

        Inputs are those of `cut_inputs` and `NEXT_TIME`; targets int32 [batch, m + later_items],
        0 = padding.

        Args:
            first_epoch: where a resumed training goes on.
        """
        spec = (
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, self._targets + self._later], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], tf.int32),
        )
        columns = {name: tf.constant(value) for name, value in self._histories.columns.items()}

        def inputs(
            starts: tf.Tensor, ends: tf.Tensor, places: tf.Tensor, length: tf.Tensor, own: tf.Tensor
        ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            item = columns[features.ITEM]
            targets = tf.gather(tf.concat([item, [0]], 0), places)
            targets = tf.where(targets <= self._items, targets, 0)
            cut = cut_inputs(columns, starts, ends, length, own if self._own_events else None)
            return {**cut, NEXT_TIME: tf.gather(columns[features.TIME], ends)}, targets

        dataset = tf.data.Dataset.from_generator(
            lambda: self._stream(first_epoch), output_signature=spec
        )
        return unsharded(dataset.map(traced_as_is(inputs), num_parallel_calls=2).prefetch(4))

    def _plan(self, epoch: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """The samples drawn in an epoch, and its batches as rows of these."""
        rng = np.random.default_rng((self._seed, epoch))
        use = ~self._empty | (rng.random(len(self._empty)) < EMPTY_PREFIX_SHARE)
        chosen = rng.permutation(np.flatnonzero(use))[: self._limit]
        lengths = padded_length(
            (self._samples.ends - self._samples.starts)[chosen], self._max_events
        )
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
                )
            epoch += 1

    def _target_places(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Positions of the targets in the item column; the column's length = padding.

        The first place is the next item in log order, the others are drawn from the rest of its
        instant; behind them are the places of the items after it.
        """
        first, end = self._samples.ends[samples], self._samples.target_ends[samples]
        rest = (end - first - 1)[:, None]  # [samples, 1], items of the instant after the next
        step = np.arange(self._targets - 1)[None, :]
        # The rest of the basket as a ring, read from a random place on: every item of it has the
        # same chance, and none comes twice.
        ring = np.maximum(rest, 1)
        rotated = (rng.integers(0, ring) + step) % ring
        nothing = len(self._histories.columns[features.ITEM])
        others = np.where(step < rest, first[:, None] + 1 + rotated, nothing)
        later = end[:, None] + np.arange(self._later)[None, :]
        later = np.where(later < self._samples.histories_end[samples][:, None], later, nothing)
        return np.concatenate([first[:, None], others, later], axis=1).astype(np.int32)


def _with_known_target(samples: Samples, histories: Histories, items: int) -> Samples:
    """Samples with at least one target of the catalogue."""
    known = np.concatenate([[0], np.cumsum(histories.columns[features.ITEM] <= items)])
    keep = known[samples.target_ends] > known[samples.ends]
    return Samples(
        samples.starts[keep],
        samples.ends[keep],
        samples.target_ends[keep],
        samples.histories_end[keep],
    )


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
