"""Moments of histories, and whether some actions follow them: what a behaviour head learns from.

A moment is the end of an instant: a request comes when a customer has just done something, and what
is known is the history up to there. Two things are asked of what follows: has the *next instant*
one of the actions, and is there one *within* some days.

What the log does not show is unknown, never a no. After a user's last instant nobody knows what the
next one will be. And where the log ends before the days are over, the moment is left out whatever
was seen until then: to keep only those who were quick would make the action look more frequent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.sampling import ends_of_periods

UNKNOWN = -1


@dataclass(frozen=True)
class Moments:
    """Moments as slices of the flat event columns; arrays [m], in the order of the events.

    Attributes:
        starts: int64, first event of the history.
        ends: int64, one past the last event that is known at the moment.
        user: int64, whose history.
        next: int8, 1 if the next instant has one of the actions, else 0; `UNKNOWN` without one.
        within: int8, the same of the days that begin with the moment; `UNKNOWN` where the log ends
            before they are over.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    user: npt.NDArray[np.int64]
    next: npt.NDArray[np.int8]
    within: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ends)

    @classmethod
    def of(cls, histories: Histories, actions: Sequence[int], seconds: int) -> Moments:
        """All moments from each user's `first_target` on.

        Args:
            histories: that go on to one common end of the log, which is their latest event.
            actions: indices of the actions.
            seconds: length of the days.

        Example:
            >>> columns = {"action": np.array([1, 1, 2, 1]), "time": np.array([0, 5, 5, 9])}
            >>> nothing = np.zeros(2, np.int64)
            >>> one = Histories(columns, np.array([0, 4]), nothing[:0], nothing, nothing[:1])
            >>> found = Moments.of(one, actions=[2], seconds=7)
            >>> found.ends.tolist(), found.next.tolist(), found.within.tolist()
            ([1, 3, 4], [1, 0, -1], [1, -1, -1])
        """
        splits, events = histories.splits, int(histories.splits[-1])
        times = histories.columns[features.TIME]
        opens = np.flatnonzero(histories.opens_instant)
        ends = np.append(opens[1:], events)[: len(opens)]
        user = np.repeat(np.arange(len(histories)), histories.lengths)
        # How many events before each place have one of the actions.
        count = np.cumsum(np.append(0, np.isin(histories.columns[features.ACTION], actions)))

        next_ends = np.append(ends[1:], events)[: len(opens)]
        follows = count[next_ends] > count[ends]
        is_last = ends == splits[user[opens] + 1]
        reach = ends_of_periods(times, user, opens, seconds)
        soon = count[reach] > count[ends]
        is_over = times[opens] + seconds - 1 <= times.max(initial=0)

        keep = opens - splits[user[opens]] >= histories.first_target[user[opens]]
        return cls(
            starts=splits[user[opens]][keep],
            ends=ends[keep],
            user=user[opens][keep],
            next=np.where(is_last, UNKNOWN, follows)[keep].astype(np.int8),
            within=np.where(is_over, soon, UNKNOWN)[keep].astype(np.int8),
        )

    def sample(self, most: int, rng: np.random.Generator) -> Moments:
        """At most so many of them, drawn alike, in the same order."""
        if len(self) <= most:
            return self
        rows = np.sort(rng.choice(len(self), most, replace=False))
        return Moments(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def latest_events(self, histories: Histories, most: int) -> Histories:
        """A history for each moment, cut to its latest events.

        Args:
            histories: whose moments they are.
            most: so many events at most.
        """
        return histories.cut(np.maximum(self.starts, self.ends - most), self.ends)
