"""Histories and targets of each split, as masks over events sorted by user and time.

Each history is the log as it was known when it ends: without what comes later, and with purchases
that were returned only later. Targets are what the log shows at its end: what was returned is no
target. How much of what follows a history is a target, `evaluation.task` says, and with which
actions, `data.target_actions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from components.behavior_example_gen.cleaning.event_rules import NEVER, TAKEN_BACK
from components.behavior_example_gen.steps.plan import Plan
from trainer.evaluation_config import EvaluationConfig
from trainer.raw_history import TEST, TRAIN, VALIDATION

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

USER = "user"
"""Number of a user within the partition, in the order of the ids; without times, of the log."""


@dataclass(frozen=True)
class Timeline:
    """Whose event each one is, and from when to when it stands in the log.

    Attributes:
        users: [n] number of each event's user, 0 … u - 1 without gaps, ascending.
        times: [n] epoch seconds, ascending within a user.
        taken_back: [n] epoch seconds of the return that takes the event back; `NEVER` if none.
        wanted: [n] whether the event has one of the target actions; None where all are wanted.
    """

    users: Ints
    times: Ints
    taken_back: Ints
    wanted: Bools | None = None

    @classmethod
    def of(cls, events: pl.DataFrame, target_actions: Sequence[str] = ()) -> Timeline:
        """Of cleaned events, sorted by user and time.

        Args:
            events: with their actions, if there are target actions.
            target_actions: what may be held out; none: every action.
        """
        codes = events[USER].to_numpy()
        starts = np.append(False, codes[1:] != codes[:-1])[: len(codes)]
        return cls(
            np.cumsum(starts, dtype=np.int64),
            events["timestamp"].to_numpy(),
            events[TAKEN_BACK].to_numpy(),
            events["action"].is_in(list(target_actions)).to_numpy() if target_actions else None,
        )

    @property
    def stays(self) -> Bools:
        """[n] whether the event is there at the end of the log."""
        return self.taken_back == NEVER

    @property
    def may_be_target(self) -> Bools:
        """[n] whether the event may be held out: it stays, and its action is wanted."""
        return self.stays if self.wanted is None else self.stays & self.wanted

    def known_at(self, moments: Ints | int) -> Bools:
        """Whether an event is there just before a moment, or each user's own: bool [n].

        Args:
            moments: epoch seconds, one or [users].
        """
        moments = moments if isinstance(moments, int) else moments[self.users]
        return (self.times < moments) & (self.taken_back >= moments)


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
    first_target: Ints | None = None
    """[u] where in the history that begins which models are asked for; None: behind it where there
    are targets, and at its beginning where there are none."""


def training_events(timeline: Timeline, plan: Plan) -> Bools:
    """Whether an event comes before what is held out: bool [n]."""
    if plan.leave_one_out:
        return timeline.known_at(_last_instants(timeline).validation)
    return timeline.known_at(plan.validation_cut)


def split_events(
    timeline: Timeline, plan: Plan, learnt: Bools, min_user_events: int
) -> dict[str, Split]:
    """Splits all events.

    Args:
        timeline: of the events.
        plan: the cuts, or leave_one_out; what is held out.
        learnt: [n] whether the event's item is frequent enough to be trained on. Other events are
            in no training history; they are in the histories and targets of the other splits.
        min_user_events: users with fewer events to be trained on have no training history.
    """
    nothing = np.zeros(len(timeline.users), bool)
    trained = training_events(timeline, plan) & learnt
    often = np.bincount(timeline.users, trained) >= min_user_events
    train = _select(timeline.users, trained & often[timeline.users], nothing, False)
    if plan.leave_one_out:
        last = _last_instants(timeline)
        return {
            TRAIN: train,
            VALIDATION: _held_out(timeline, last.validation, plan.evaluation),
            TEST: _held_out(timeline, last.test, plan.evaluation),
        }
    return {
        TRAIN: train,
        VALIDATION: _window(timeline, plan.validation_cut, plan.test_cut, plan.evaluation),
        TEST: _window(timeline, plan.test_cut, NEVER, plan.evaluation),
    }


def _window(timeline: Timeline, start: int, end: int, evaluation: EvaluationConfig) -> Split:
    """What each user takes first in [start, end), and the history before it.

    The history is that of `start`. Where target actions are set, it is that of the first instant
    with such an action instead: what was viewed before a purchase is known when it is made.
    """
    inside = timeline.may_be_target & (timeline.times >= start) & (timeline.times < end)
    target = _asked(timeline, inside, evaluation)
    known_at = start if timeline.wanted is None else _first_times(timeline, inside)
    return _select(timeline.users, timeline.known_at(known_at), target, True)


def _first_times(timeline: Timeline, inside: Bools) -> Ints:
    """[users] epoch seconds of each user's first event of some; `NEVER` without one."""
    first = np.full(_count(timeline.users), NEVER)
    np.minimum.at(first, timeline.users[inside], timeline.times[inside])
    return first


def _asked(timeline: Timeline, inside: Bools, evaluation: EvaluationConfig) -> Bools:
    """Which of the later events the task asks for: bool [n].

    Args:
        timeline: of the events.
        inside: [n] the events that may be held out.
        evaluation: the first of them, its instant, or the period that begins with it.
    """
    users, times = timeline.users, timeline.times
    if evaluation.task == "next_item":
        rows = np.flatnonzero(inside)
        first = np.zeros(len(users), bool)
        first[rows[np.append(True, users[rows][1:] != users[rows][:-1])[: len(rows)]]] = True
        return first
    since = times - _first_times(timeline, inside)[users]
    if evaluation.period_seconds is None:
        return inside & (since == 0)
    return inside & (since < evaluation.period_seconds)


@dataclass(frozen=True)
class _LastInstants:
    """[users] epoch seconds of the last two instants that may be held out; `NEVER` for users with
    fewer, or with no event before them.
    """

    validation: Ints
    test: Ints


def _last_instants(timeline: Timeline) -> _LastInstants:
    asked = timeline.may_be_target
    users, times = timeline.users[asked], timeline.times[asked]
    opens = np.append(True, (users[1:] != users[:-1]) | (times[1:] != times[:-1]))[: len(users)]
    users, times = users[opens], times[opens]
    sizes = np.bincount(users, minlength=_count(timeline.users))
    several = np.flatnonzero(sizes >= 2)
    last = np.cumsum(sizes)[several] - 1
    after = times[last - 1] > _first_times(timeline, timeline.stays)[several]
    long, last = several[after], last[after]
    validation, test = np.full((2, len(sizes)), NEVER)
    validation[long], test[long] = times[last - 1], times[last]
    return _LastInstants(validation, test)


def _held_out(timeline: Timeline, instants: Ints, evaluation: EvaluationConfig) -> Split:
    """History: as known just before each user's instant; target: the instant, or its first item."""
    held_out = instants[timeline.users]
    history = timeline.known_at(instants) & (held_out < NEVER)
    inside = timeline.may_be_target & (timeline.times == held_out)
    return _select(timeline.users, history, _asked(timeline, inside, evaluation), True)


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
