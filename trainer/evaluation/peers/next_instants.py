"""Training samples of a recurrent network: windows of events, and what the next instant held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.evaluation.baselines.event_log import EventLog

Indices = npt.NDArray[np.int64]

LENGTH = 50
"""Events of a window."""
_TARGETS = 4
"""Items that are drawn of the next instant where instants hold several."""


@dataclass(frozen=True)
class WindowBatch:
    """Some windows, oldest event first.

    Attributes:
        items: int32 [batch, LENGTH], padded with 0 at the end.
        position: int64 [samples, 2], window and place of the last event of an instant that another
            one follows.
        targets: int32 [samples, targets], items drawn of the instant that follows.
    """

    items: npt.NDArray[np.int32]
    position: Indices
    targets: npt.NDArray[np.int32]


class NextInstants:
    """The known events of a log, cut into windows from the end of each history.

    After the last event of an instant the network is asked for the items of the next one, evenly:
    inside a basket nothing comes next. Where every event is an instant of its own that is the
    next event, as in the papers.

    Args:
        log: of the users.
    """

    def __init__(self, log: EventLog) -> None:
        self._item = log.item
        events = np.arange(log.item.size)
        known = np.bincount(log.user, minlength=len(log)) if len(log) else np.zeros(0, np.int64)
        self._ends = np.cumsum(known)
        self._starts = self._ends - known
        # One number for each instant of each user that holds a known item.
        change = (np.diff(log.user) != 0) | (np.diff(log.instants_ago) != 0)
        instant = np.concatenate([[0], np.cumsum(change)])[: events.size]
        sizes = np.bincount(instant)
        begins = np.cumsum(sizes) - sizes
        follows = np.append(instant[1:], -1) != instant
        same_user = np.append(log.user[1:], -1) == log.user
        self._closes = follows & same_user
        after = np.minimum(instant + 1, max(sizes.size - 1, 0))
        self._next_begin, self._next_size = begins[after], sizes[after]
        self._targets = _TARGETS if (sizes > 1).any() else 1
        self._windows = self._cut()

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self._windows)

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[WindowBatch]:
        """All windows once, in an order that is drawn.

        Args:
            size: windows of a batch.
            rng: draws the order and the targets.
        """
        order = rng.permutation(len(self._windows))
        for begin in range(0, len(order), size):
            start, end = self._windows[order[begin : begin + size]].T
            event = start[:, None] + np.arange(LENGTH)
            there = event < end[:, None]
            event = np.where(there, event, 0)
            asked = there & self._closes[event]
            position = np.argwhere(asked)
            source = event[asked]
            drawn = rng.random((source.size, self._targets)) * self._next_size[source][:, None]
            chosen = self._next_begin[source][:, None] + drawn.astype(np.int64)
            yield WindowBatch(
                np.where(there, self._item[event], 0).astype(np.int32),
                position,
                self._item[chosen].astype(np.int32),
            )

    def _cut(self) -> Indices:
        """int64 [windows, 2], first event and one past the last; those that ask for nothing go."""
        asked = np.concatenate([[0], np.cumsum(self._closes)])
        found = []
        for start, end in zip(self._starts.tolist(), self._ends.tolist(), strict=True):
            ends = np.arange(end, start, -LENGTH)
            starts = np.maximum(ends - LENGTH, start)
            found.append(np.column_stack([starts, ends]))
        windows = np.concatenate([*found, np.zeros((0, 2), np.int64)]).astype(np.int64)
        return windows[asked[windows[:, 1]] > asked[windows[:, 0]]]


def latest_events(log: EventLog) -> tuple[npt.NDArray[np.int32], Indices]:
    """What a network reads of each user.

    Returns:
        int32 [users, LENGTH], the latest known items, oldest first, padded with 0 at the end; and
        int64 [users], how many there are.
    """
    known = np.bincount(log.user, minlength=len(log)) if len(log) else np.zeros(0, np.int64)
    ends = np.cumsum(known)
    read = np.minimum(known, LENGTH)
    event = (ends - read)[:, None] + np.arange(LENGTH)
    there = np.arange(LENGTH) < read[:, None]
    padded = np.append(log.item, 0)
    return np.where(there, padded[np.where(there, event, -1)], 0).astype(np.int32), read
