"""What all counted recommenders have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from trainer.data.histories import Histories
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.sparse_lists import sparse_lists
from trainer.evaluation.baselines.sparse_ranks import ItemScores, sparse_ranks

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]
C = TypeVar("C")

_USERS_PER_CHUNK = 512


class NotApplicable(Exception):
    """A kind of recommender makes no sense on a log, or is too large for it; says why."""


class Baseline(ABC, Generic[C]):
    """One kind of recommender, counted on the training histories.

    What a kind leaves open, its *constants*, are given when it is asked, since many of them share
    most of the work.

    Attributes:
        kind: its key in `compared_models`.
        start: the constants that a search starts with.
        grid: what a search tries, by the field of the constants.
        search_users: how many users decide between the constants.
    """

    kind: ClassVar[str]
    start: C
    grid: Mapping[str, Sequence[Any]]
    search_users: ClassVar[int] = 10_000
    _items: int

    @abstractmethod
    def scores(self, log: EventLog, constants: Sequence[C]) -> Iterator[ItemScores]:
        """The ranking of the catalogue for each user of a log.

        Args:
            log: what is known of the users when they are asked for, the training included.
            constants: each of them gives one ranking.

        Yields:
            One for each of the constants, in their order.
        """

    def ranks(
        self,
        constants: Sequence[C],
        histories: Histories,
        targets: Integers,
        target_splits: Integers,
        exclude_seen: bool = False,
    ) -> Indices:
        """Where the items that the users took next stand in the catalogue.

        Never more than a few hundred users are scored at a time, and only the items that the rule
        has something to say about.

        Args:
            constants: each of them gives one row.
            histories: of the judged users, up to what is held out.
            targets: integers [targets], the held-out items.
            target_splits: integers [users + 1], user `u` owns
                `targets[target_splits[u]:target_splits[u + 1]]`.
            exclude_seen: leave the items of a history out of its ranking.

        Returns:
            int64 [constants, targets], 1-based; `items + 1` for a target that is not in the
            catalogue or left out. A user's targets do not move each other.

        Raises:
            ValueError: histories and targets are not those of the same number of users.
        """
        splits = np.asarray(target_splits, np.int64)
        if splits.size != len(histories) + 1:
            raise ValueError(
                f"the histories of {len(histories)} users do not fit the targets of "
                f"{splits.size - 1} users"
            )
        ranks = np.empty((len(constants), np.asarray(targets).size), np.int64)
        log = EventLog(histories, self._items)
        for chunk, mine, ends in log.parts(_USERS_PER_CHUNK, splits):
            seen = chunk.distinct if exclude_seen else None
            for row, ranked in zip(ranks, self.scores(chunk, constants), strict=True):
                row[mine] = sparse_ranks(ranked, targets[mine], ends, seen)
        return ranks

    def lists(
        self, constants: C, histories: Histories, k: int, exclude_seen: bool = False
    ) -> Indices:
        """What the users are recommended.

        Args:
            constants: what the kind leaves open.
            histories: of the users.
            k: how many items.
            exclude_seen: leave the items of a history out of its list.

        Returns:
            int64 [users, k], best first; 0 where the catalogue has no more items.
        """
        found = np.zeros((len(histories), k), np.int64)
        log = EventLog(histories, self._items)
        for start in range(0, len(histories), _USERS_PER_CHUNK):
            chunk = log.users(start, min(start + _USERS_PER_CHUNK, len(histories)))
            seen = chunk.distinct if exclude_seen else None
            (ranked,) = self.scores(chunk, [constants])
            found[start : start + len(chunk)] = sparse_lists(ranked, k, seen)
        return found
