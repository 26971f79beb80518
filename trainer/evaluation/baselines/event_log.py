"""The histories as counting reads them: who had which item, how often, and how long ago."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.data import features
from trainer.data.histories import Histories

Indices = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

_DAY = 86_400.0


@dataclass(frozen=True)
class EventLog:
    """Histories, and what can be counted in them; everything is computed when first asked for.

    Columns are over the *known events*: those whose item is in the catalogue. Instants and ages
    count the others too.

    Attributes:
        histories: of the users.
        items: size of the catalogue; items are 1 … items, everything else is padding or unknown.

    Example:
        >>> columns = {"item": np.array([1, 2, 1]), "time": np.array([0, 86_400, 86_400])}
        >>> none, start = np.zeros(0, int), np.zeros(2, int)
        >>> log = EventLog(Histories(columns, np.array([0, 3]), none, start, start[:1]), items=2)
        >>> log.instants_ago.tolist(), log.days_ago.tolist()
        ([1, 0, 0], [1.0, 0.0, 0.0])
        >>> log.opening_chance.tolist()
        [1.0, 0.5, 0.5]
        >>> log.sums(np.ones(3)).toarray().tolist()
        [[0.0, 2.0, 1.0]]
    """

    histories: Histories
    items: int

    def __len__(self) -> int:
        return len(self.histories)

    @cached_property
    def item(self) -> Indices:
        """int64 [known events]."""
        return self.histories.columns[features.ITEM][self._known].astype(np.int64)

    @cached_property
    def user(self) -> Indices:
        """int64 [known events], ascending."""
        return self._owner[self._known]

    @cached_property
    def time(self) -> Indices:
        """int64 [known events], epoch seconds."""
        return self.histories.columns[features.TIME][self._known].astype(np.int64)

    @cached_property
    def days_ago(self) -> Values:
        """float64 [known events], days before the user's last event.

        To rank within a user, that is as good as days before the moment of the request.
        """
        times = self.histories.columns[features.TIME]
        last = np.append(times, 0)[self.histories.splits[1:] - 1]
        return (last[self.user] - self.time) / _DAY

    @cached_property
    def instants(self) -> Indices:
        """int64 [users], instants of each."""
        return np.bincount(self._owner[self.histories.opens_instant], minlength=len(self)).astype(
            np.int64
        )

    @cached_property
    def instants_ago(self) -> Indices:
        """int64 [known events], how many of the user's instants came later."""
        number = np.cumsum(self.histories.opens_instant) - 1
        last = np.cumsum(self.instants) - 1
        return last[self.user] - number[self._known]

    @cached_property
    def opening_chance(self) -> Values:
        """float64 [known events], see `Histories.opening_chance`."""
        return self.histories.opening_chance[self._known]

    @cached_property
    def wanted(self) -> npt.NDArray[np.bool_] | None:
        """Bool [known events], whether an event has a target action; None where every action is."""
        wanted = self.histories.wanted
        return None if wanted is None else wanted[self._known]

    @cached_property
    def in_basket(self) -> Values:
        """float64 [known events], 1 for the first event of an item in an instant, 0 for the rest.

        Weighted with this, every item of a basket counts once.
        """
        number = np.cumsum(self.histories.opens_instant)[self._known]
        _, first = np.unique(number * (self.items + 1) + self.item, return_index=True)
        counted = np.zeros(self.item.size)
        counted[first] = 1.0
        return counted

    @property
    def has_baskets(self) -> bool:
        """Whether some instant holds more than one item."""
        return bool(self.in_basket.sum() > self._filled_instants)

    def sums(self, weights: Values) -> sp.csr_matrix:
        """Weights summed over the events of each user and item.

        Args:
            weights: float64 [known events].

        Returns:
            float64 [users, items + 1]; an entry for every item that the user had, also where the
            sum is 0.
        """
        return self._matrix(np.bincount(self._pair, weights, self._pairs.size).astype(np.float64))

    def latest(self, values: Values) -> sp.csr_matrix:
        """The value of each user's latest event of each item.

        Args:
            values: float64 [known events].

        Returns:
            float64 [users, items + 1], entries as for `sums`.
        """
        found = np.empty(self._pairs.size)
        found[self._pair] = values  # of several assignments the last one stays
        return self._matrix(found)

    @cached_property
    def distinct(self) -> sp.csr_matrix:
        """float64 [users, items + 1], 1 for every item that the user had."""
        return self._matrix(np.ones(self._pairs.size))

    def users(self, start: int, stop: int) -> EventLog:
        """The log of users `start` … `stop - 1`."""
        return EventLog(self.histories.take(np.arange(start, stop)), self.items)

    def parts(self, size: int, target_splits: Indices) -> Iterator[tuple[EventLog, slice, Indices]]:
        """A few users at a time: their log, which targets are theirs, and the splits of these.

        Args:
            size: users of a part.
            target_splits: int64 [users + 1], where each user's targets begin.
        """
        for start in range(0, len(self), size):
            part = self.users(start, min(start + size, len(self)))
            splits = target_splits[start : start + len(part) + 1]
            yield part, slice(splits[0], splits[-1]), splits - splits[0]

    @cached_property
    def _owner(self) -> Indices:
        return np.repeat(np.arange(len(self), dtype=np.int64), self.histories.lengths)

    @cached_property
    def _known(self) -> Indices:
        item = self.histories.columns[features.ITEM]
        return np.flatnonzero((item >= 1) & (item <= self.items))

    @cached_property
    def _filled_instants(self) -> int:
        return np.unique(np.cumsum(self.histories.opens_instant)[self._known]).size

    @cached_property
    def _unique_pairs(self) -> tuple[Indices, Indices]:
        pairs, pair = np.unique(self.user * (self.items + 1) + self.item, return_inverse=True)
        return pairs, pair

    @property
    def _pairs(self) -> Indices:
        """int64 [pairs], the distinct pairs of user and item as one number, ascending."""
        return self._unique_pairs[0]

    @property
    def _pair(self) -> Indices:
        """int64 [known events], where the event's pair stands in `_pairs`."""
        return self._unique_pairs[1]

    def _matrix(self, data: Values) -> sp.csr_matrix:
        width = self.items + 1
        splits = np.searchsorted(self._pairs, np.arange(len(self) + 1) * width)
        return sp.csr_matrix((data, self._pairs % width, splits), (len(self), width))
