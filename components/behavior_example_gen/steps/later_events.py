"""Histories that go on through the validation and the test window, for the behaviour head.

What is held out elsewhere is a target: with `data.target_actions` the history of a split ends right
before a purchase, and only buyers are in it. Nobody could learn from that how likely a purchase is.
Here everyone is who did anything in the window, and the history has all that they did in it.
"""

from __future__ import annotations

import numpy as np

from components.behavior_example_gen.cleaning.event_rules import NEVER
from components.behavior_example_gen.steps.plan import Plan
from components.behavior_example_gen.steps.splitting import Split, Timeline
from trainer.raw_history import TEST, VALIDATION


def later_events(timeline: Timeline, plan: Plan) -> dict[str, Split]:
    """The histories of both windows, without targets.

    Args:
        timeline: of the events, with those of rare items.
        plan: the cuts in time.
    """
    return {
        VALIDATION: _through(timeline, plan.validation_cut, plan.test_cut),
        TEST: _through(timeline, plan.test_cut, NEVER),
    }


def _through(timeline: Timeline, start: int, end: int) -> Split:
    """Everyone with an event in [start, end), and the log as it is known at the end."""
    history = timeline.known_at(end)
    before = timeline.times < start
    users = np.unique(timeline.users[history & ~before])
    history &= np.isin(timeline.users, users)
    earlier = np.bincount(timeline.users[history & before], minlength=users.max(initial=-1) + 1)
    return Split(
        users=users,
        history=history,
        target=np.zeros_like(history),
        cold_starts=0,
        first_target=earlier[users],
    )
