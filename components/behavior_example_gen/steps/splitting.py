"""Histories and targets of each split, as masks over events sorted by user and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.behavior_example_gen.steps.plan import Plan
from trainer.raw_history import TEST, TRAIN, VALIDATION

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Events of one split."""

    users: Ints
    """[u] users in it, ascending."""
    history: Bools
    """[n] the event is in its user's history."""
    target: Bools
    """[n] the event is a target."""
    cold_starts: int
    """Users left out because they have a target but no history."""


def split_events(users: Ints, times: Ints, plan: Plan) -> dict[str, Split]:
    """Splits all events.

    Args:
        users: [n] number of each event's user, 0 … u - 1 without gaps, ascending.
        times: [n] epoch seconds, ascending within a user.
        plan: the cuts, or leave_one_out.
    """
    if plan.leave_one_out:
        return _leave_one_out(users)
    nothing = np.zeros(len(users), bool)
    return {
        TRAIN: _select(users, times < plan.validation_cut, nothing, False),
        VALIDATION: _window(users, times, plan.validation_cut, plan.test_cut),
        TEST: _window(users, times, plan.test_cut, None),
    }


def _window(users: Ints, times: Ints, start: int, end: int | None) -> Split:
    """History before `start`; target: each user's first instant in [start, end)."""
    inside = times >= start
    if end is not None:
        inside &= times < end
    first = np.full(_count(users), np.iinfo(np.int64).max)
    np.minimum.at(first, users[inside], times[inside])
    target = inside & (times == first[users])
    return _select(users, times < start, target, True)


def _leave_one_out(users: Ints) -> dict[str, Split]:
    """Last event for test, the one before for validation; users with fewer than three train only.

    The validation event belongs to the history when the test event is predicted.
    """
    sizes = np.bincount(users, minlength=_count(users))
    ends = np.cumsum(sizes)[users] if len(users) else users
    from_end = ends - np.arange(len(users))  # 1 for a user's last event
    long = sizes[users] >= 3
    nothing = np.zeros(len(users), bool)
    return {
        TRAIN: _select(users, ~long | (from_end > 2), nothing, False),
        VALIDATION: _select(users, long & (from_end > 2), long & (from_end == 2), True),
        TEST: _select(users, long & (from_end > 1), long & (from_end == 1), True),
    }


def _select(users: Ints, history: Bools, target: Bools, with_target: bool) -> Split:
    """Keeps the users who have a history and, if asked for, a target."""
    total = _count(users)
    has_history = np.zeros(total, bool)
    has_history[users[history]] = True
    chosen = has_history
    cold_starts = 0
    if with_target:
        has_target = np.zeros(total, bool)
        has_target[users[target]] = True
        chosen = has_history & has_target
        cold_starts = int((has_target & ~has_history).sum())
    inside = chosen[users]
    return Split(np.flatnonzero(chosen), history & inside, target & inside, cold_starts)


def _count(users: Ints) -> int:
    return int(users[-1]) + 1 if len(users) else 0
