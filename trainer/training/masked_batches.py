"""Windows of training histories with some items hidden, for masked-item pre-training.

A window is a history's latest events before some end. The ends of an epoch lie a whole window
apart, from a random place on, and one more stands at the end of the history: every event is seen
once or twice an epoch, in long histories too, near the newest event as well as far from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import cut_inputs, padded_length
from trainer.data.histories import Histories
from trainer.data.sampling import Samples, batches_by_length, unsharded
from trainer.data.windows import padded_columns
from trainer.graphs import traced_as_is

PLACES = "masked_places"
"""Input that says which positions are hidden: int32 [batch, m], -1 = padding."""
_TELLING = (features.CATEGORY, features.PRICE, features.QUANTITY)
"""Event columns that give a hidden item away; in each of them 0 means unknown."""


class MaskedBatches:
    """Batches for `MaskedItemModel`, drawn anew every epoch.

    A batch has as many windows as make about `batch_size` hidden items, so that its scores take
    no more memory than those of next-item training.

    Args:
        histories: the training split.
        items: catalogue size; events with unknown items are never guessed.
        batch_size: hidden items a batch, more only if a single window has more.
        windows_per_epoch: upper bound of windows in an epoch.
        max_events: window of the encoder.
        share: of a window's events that are hidden; see `masked_places`.
        seed: the same seed gives the same batches.

    Raises:
        ValueError: no history has two events with an item of the catalogue among them.
    """

    def __init__(
        self,
        histories: Histories,
        items: int,
        batch_size: int,
        windows_per_epoch: int,
        max_events: int,
        share: float,
        seed: int,
    ) -> None:
        self._histories = histories
        self._items = items
        self._batch_size = batch_size
        self._limit = windows_per_epoch
        self._max_events = max_events
        self._share = share
        self._seed = seed
        self.steps_per_epoch = len(self._plan(self._generator(0))[1])
        """Batches of the first epoch; others differ by where their windows end."""
        if not self.steps_per_epoch:
            raise ValueError(
                "training.pretraining_epochs: no training history has two events with a known item "
                "among them; set it to 0 or bring longer histories"
            )

    def dataset(self, first_epoch: int = 0) -> tf.data.Dataset:
        """An endless stream of (inputs, targets) batches, epoch after epoch.

        Inputs are the event columns [batch, length] of `cut_inputs` after `hide`, and `PLACES`;
        targets int32 [batch, m], the items hidden there, 0 = padding.

        Args:
            first_epoch: where a resumed training goes on.
        """
        spec = (
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
        )
        columns = padded_columns(self._histories.columns)

        def batch(
            starts: tf.Tensor, ends: tf.Tensor, length: tf.Tensor, places: tf.Tensor
        ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            events = cut_inputs(columns, starts, ends, length, None)
            return {**hide(events, places, self._items + 1), PLACES: places}, hidden_items(
                events[features.ITEM], places
            )

        dataset = tf.data.Dataset.from_generator(
            lambda: self._stream(first_epoch), output_signature=spec
        )
        return unsharded(dataset.map(traced_as_is(batch), num_parallel_calls=2).prefetch(4))

    def _generator(self, epoch: int) -> np.random.Generator:
        """The source of all that is random in an epoch; the same for an epoch of a resumed run."""
        return np.random.default_rng((self._seed, epoch, 2))

    def _plan(self, rng: np.random.Generator) -> tuple[Samples, list[np.ndarray]]:
        """The windows of an epoch, and its batches as rows of these."""
        windows = history_windows(self._histories, self._items, self._max_events, rng)
        chosen = rng.permutation(len(windows))[: self._limit]
        lengths = padded_length((windows.ends - windows.starts)[chosen], self._max_events)
        batches = batches_by_length(
            lengths,
            lambda length: max(1, self._batch_size // most_masked(self._share, length)),
            rng,
        )
        return windows, [chosen[rows] for rows in batches]

    def _stream(self, epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        item = self._histories.columns[features.ITEM]
        while True:
            rng = self._generator(epoch)
            windows, batches = self._plan(rng)
            for rows in batches:
                starts, ends = windows.starts[rows], windows.ends[rows]
                length = int(padded_length(ends - starts, self._max_events).max())
                index = ends[:, None] - 1 - np.arange(length)
                items = np.where(index >= starts[:, None], item[index], 0)
                places = masked_places(items, self._items, self._share, rng)
                yield (
                    starts.astype(np.int32),
                    ends.astype(np.int32),
                    np.array(length, np.int32),
                    places.astype(np.int32),
                )
            epoch += 1


def history_windows(
    histories: Histories, items: int, max_events: int, rng: np.random.Generator
) -> Samples:
    """Windows of at least two events, with an item of the catalogue, that cover all histories.

    Args:
        histories: the training split.
        items: catalogue size.
        max_events: the most events of a window.
        rng: draws where the ends begin.

    Returns:
        The windows as slices; everything ends at the `ends`, as nothing behind them is asked for.
    """
    lengths, splits = histories.lengths, histories.splits
    user = np.repeat(np.arange(len(histories)), lengths)
    position = np.arange(splits[-1]) - splits[user]
    # From 1 on, so that no window is a first event alone.
    phase = rng.integers(1, max_events, size=len(histories))
    is_last = position == lengths[user] - 1
    ends = 1 + np.flatnonzero((is_last | (position % max_events == phase[user])) & (position > 0))
    starts = np.maximum(splits[user[ends - 1]], ends - max_events)
    known = np.concatenate([[0], np.cumsum(histories.columns[features.ITEM] <= items)])
    keep = known[ends] > known[starts]
    return Samples(starts[keep], ends[keep], ends[keep], ends[keep])


def most_masked(share: float, length: int) -> int:
    """At most how many items are hidden in a window of so many events."""
    return max(1, round(share * length))


def masked_places(
    items: np.ndarray, catalogue_items: int, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Which events lose their item: a share of each row, rounded, at least one.

    Args:
        items: int [batch, length], 0 = padding; two events a row at least.
        catalogue_items: items above it are unknown, and never chosen.
        share: of the events of a row. One stays visible, however large it is.
        rng: chooses.

    Returns:
        int [batch, most_masked(share, length)], -1 = padding.
    """
    most = most_masked(share, items.shape[1])
    present = np.sum(items > 0, axis=1)
    known = (items > 0) & (items <= catalogue_items)
    wanted = np.clip(np.round(share * present), 1, present - 1)
    wanted = np.minimum(wanted, known.sum(axis=1))
    order = np.argsort(np.where(known, rng.random(items.shape), 2.0), axis=1)[:, :most]
    return np.where(np.arange(most) < wanted[:, None], order, -1)


def hide(events: dict[str, tf.Tensor], places: tf.Tensor, unknown: int) -> dict[str, tf.Tensor]:
    """The events with the items at some places hidden, and with them the columns that tell them.

    Action and time stay: they belong to the event, not to the item.

    Args:
        events: event columns [batch, length].
        places: int32 [batch, m], -1 = padding.
        unknown: index that stands for an item out of vocabulary.
    """
    length = tf.shape(events[features.ITEM])[1]
    hidden = tf.reduce_any(tf.one_hot(places, length, on_value=True, off_value=False), axis=1)
    values = dict.fromkeys(_TELLING, 0) | {features.ITEM: unknown}
    return events | {
        name: tf.where(hidden, tf.cast(value, events[name].dtype), events[name])
        for name, value in values.items()
    }


def hidden_items(items: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Items [batch, length] at places [batch, m]; 0 where there is no place (-1)."""
    found = tf.gather(items, tf.maximum(places, 0), batch_dims=1)
    return tf.where(places >= 0, found, 0)
