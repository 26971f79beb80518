"""Reading raw histories through the Transform graph into flat columns.

A training run touches every history many times, in windows; it reads them once, as integers, into
flat arrays with row offsets. Ten million events take about 400 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from trainer.data import features
from trainer.data.history_transform import HistoryTransform
from trainer.graphs import traced_as_is

_READ_BATCH = 512


@dataclass(frozen=True)
class Histories:
    """Transformed histories of one split.

    Attributes:
        columns: event column name -> [events]; integers int32, `time` int64, amounts float32.
        splits: int64 [users + 1], user u owns events `splits[u]:splits[u + 1]`.
        targets: int32 [targets], item indices of all held-out next items.
        target_splits: int64 [users + 1].
        first_target: int64 [users], first position of the history that may be trained on.
        wanted: bool [events], whether the event has an action that models are asked for; None
            where they are asked for every action.

    Example:
        >>> columns = {"item": np.array([7, 8, 9, 5], np.int32)}  # two users: 7 8 9, and 5
        >>> two = Histories(
        ...     columns, np.array([0, 3, 4]), np.array([6]), np.array([0, 0, 1]), np.array([0, 1])
        ... )
        >>> len(two), two.lengths.tolist(), two.next_item.tolist()
        (2, [3, 1], [0, 6])
        >>> two.take(np.array([1])).columns["item"].tolist()
        [5]
    """

    columns: dict[str, np.ndarray]
    splits: np.ndarray
    targets: np.ndarray
    target_splits: np.ndarray
    first_target: np.ndarray
    wanted: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.splits) - 1

    @cached_property
    def lengths(self) -> np.ndarray:
        """int64 [users], events per user."""
        return np.diff(self.splits)

    @cached_property
    def next_item(self) -> np.ndarray:
        """int32 [users], the first held-out item; 0 where there is none."""
        has = np.diff(self.target_splits) > 0
        padded = np.append(self.targets, 0)
        return np.where(has, padded[np.minimum(self.target_splits[:-1], len(self.targets))], 0)

    @cached_property
    def opens_instant(self) -> np.ndarray:
        """Bool [events], whether an event is the first of its history at its time."""
        times = self.columns[features.TIME]
        opens = np.ones(len(times) + 1, bool)
        opens[1 : len(times)] = times[1:] != times[:-1]
        opens[self.splits] = True
        return opens[:-1]

    @cached_property
    def opening_chance(self) -> np.ndarray:
        """Float64 [events], how likely an event is the first of its instant in an order that is
        drawn: 1 / events of the instant. The drawn order itself must decide no figure.
        """
        instant = np.cumsum(self.opens_instant) - 1
        return (1.0 / np.bincount(instant))[instant]

    @classmethod
    def joined(cls, parts: Sequence[Histories]) -> Histories:
        """The histories of all parts, one after the other; a user may be in several.

        Args:
            parts: at least one.
        """
        columns = {
            name: np.concatenate([part.columns[name] for part in parts])
            for name in parts[0].columns
        }
        wanted = [part.wanted for part in parts if part.wanted is not None]
        return cls(
            columns,
            _splits([part.lengths for part in parts]),
            np.concatenate([part.targets for part in parts]),
            _splits([np.diff(part.target_splits) for part in parts]),
            np.concatenate([part.first_target for part in parts]),
            np.concatenate(wanted) if len(wanted) == len(parts) else None,
        )

    def asking(self, actions: Sequence[int]) -> Histories:
        """The same histories, which know what models are asked for.

        Args:
            actions: indices of the target actions; none: every action.
        """
        if not actions:
            return self
        return replace(self, wanted=np.isin(self.columns[features.ACTION], actions))

    def cut(self, starts: np.ndarray, ends: np.ndarray) -> Histories:
        """A history for each slice of the events, which may overlap; without targets.

        Args:
            starts: int64 [m], first event of each.
            ends: int64 [m], one past its last event.
        """
        index, splits = _gather_slices(starts, ends - starts)
        return Histories(
            {name: column[index] for name, column in self.columns.items()},
            splits,
            np.zeros(0, np.int32),
            np.zeros(len(starts) + 1, np.int64),
            np.zeros(len(starts), np.int64),
        )

    def take(self, users: np.ndarray) -> Histories:
        """The histories of some users, in the given order."""
        columns_index, splits = _gather_rows(self.splits, users)
        target_index, target_splits = _gather_rows(self.target_splits, users)
        return Histories(
            {name: column[columns_index] for name, column in self.columns.items()},
            splits,
            self.targets[target_index],
            target_splits,
            self.first_target[users],
            None if self.wanted is None else self.wanted[columns_index],
        )


def _gather_rows(splits: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flat positions of the values of chosen rows, and the rows' new offsets."""
    return _gather_slices(splits[:-1][rows], np.diff(splits)[rows])


def _gather_slices(starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flat positions of the values of slices, and the slices' own offsets."""
    splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    offsets = np.repeat(starts - splits[:-1], lengths)
    return np.arange(splits[-1]) + offsets, splits


def has_histories(files: Sequence[str]) -> bool:
    """Whether files of raw histories hold any; arguments as for `read_histories`."""
    return any(True for _ in _records(files).take(1))


def read_histories(
    files: Sequence[str], graph: tft.TFTransformOutput, new_items: Sequence[str] = ()
) -> Histories:
    """Reads GZIP TFRecords of raw histories and transforms them.

    Args:
        files: file names or patterns; files without records are fine.
        graph: the Transform graph.
        new_items: items beyond its vocabulary that the model knows (`BehaviorEncoder.new_items`).
    """
    transform = HistoryTransform.of(graph, new_items)
    dataset = (
        _records(files)
        .batch(_READ_BATCH)
        .map(traced_as_is(transform.parse), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(2)
    )
    wanted = (*features.EVENT_COLUMNS, features.TARGET, features.FIRST_TARGET)
    values: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    lengths: list[np.ndarray] = []
    target_lengths: list[np.ndarray] = []
    for batch in dataset:
        users = int(batch[features.ITEM].dense_shape[0])
        for name in features.EVENT_COLUMNS:
            values[name].append(batch[name].values.numpy())
        values[features.TARGET].append(batch[features.TARGET].values.numpy())
        first = tf.sparse.to_dense(
            tf.sparse.slice(batch[features.FIRST_TARGET], [0, 0], [users, 1])
        )
        padded = np.zeros(users, np.int64)
        padded[: first.shape[0]] = first.numpy()[:, 0] if first.shape[1] else 0
        values[features.FIRST_TARGET].append(padded)
        lengths.append(_row_lengths(batch[features.ITEM], users))
        target_lengths.append(_row_lengths(batch[features.TARGET], users))
    return Histories(
        columns={name: _column(name, values[name]) for name in features.EVENT_COLUMNS},
        splits=_splits(lengths),
        targets=_join(values[features.TARGET], np.int32),
        target_splits=_splits(target_lengths),
        first_target=_join(values[features.FIRST_TARGET], np.int64),
    )


def _records(files: Sequence[str]) -> tf.data.Dataset:
    """Serialized histories, string []."""
    paths = sorted(path for pattern in files for path in tf.io.gfile.glob(pattern))
    return tf.data.TFRecordDataset(paths, compression_type="GZIP")


def _row_lengths(sparse: tf.SparseTensor, rows: int) -> np.ndarray:
    return np.bincount(sparse.indices.numpy()[:, 0], minlength=rows)


def _splits(lengths: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(_join(lengths, np.int64))]).astype(np.int64)


def _column(name: str, parts: list[np.ndarray]) -> np.ndarray:
    if name == features.TIME:
        return _join(parts, np.int64)
    return _join(parts, np.float32 if name in (features.PRICE, features.QUANTITY) else np.int32)


def _join(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([*parts, np.zeros(0, dtype)]).astype(dtype)
