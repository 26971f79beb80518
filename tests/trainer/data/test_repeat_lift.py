"""Lifts by counting every chance of every user one by one."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.data.repeat_lift import repeat_lift


def by_hand(users, items, asked=None):
    """Lift and chances from users given as baskets, oldest first, and what was asked for there."""
    asked = asked or users
    outcomes = []  # item, how long ago it was last taken, whether it came again
    for baskets, bought in zip(users, asked, strict=True):
        for now in range(1, len(baskets)):
            for item in set().union(*baskets[:now]):
                last = max(then for then in range(now) if item in baskets[then])
                outcomes.append((item, now - last, item in bought[now]))
    rate = {}
    for recency in {recency for _, recency, _ in outcomes}:
        rate[recency] = np.mean([came for _, ago, came in outcomes if ago == recency])
    lift, chances = np.ones(items + 1), np.zeros(items + 1)
    for item in range(1, items + 1):
        mine = [(ago, came) for which, ago, came in outcomes if which == item]
        taken, expected = sum(came for _, came in mine), sum(rate[ago] for ago, _ in mine)
        lift[item], chances[item] = (taken + 3) / (expected + 3), len(mine)
    return lift, chances


def test_lifts_are_those_of_every_chance_counted():
    rng = np.random.default_rng(0)
    users = [
        [set(rng.choice(8, rng.integers(1, 5)) + 1) for _ in range(rng.integers(1, 9))]
        for _ in range(30)
    ]
    events = [
        (user, item, len(baskets) - 1 - at)
        for user, baskets in enumerate(users)
        for at, basket in enumerate(baskets)
        for item in sorted(basket) * int(rng.integers(1, 3))  # some lines come twice
    ]
    found = repeat_lift(*np.array(events).T, items=9)
    lift, chances = by_hand(users, 9)
    np.testing.assert_allclose(found.lift, lift, rtol=1e-12)
    np.testing.assert_array_equal(found.chances, chances)


def test_what_was_only_looked_at_has_not_come_again():
    rng = np.random.default_rng(2)
    seen = [
        [set(rng.choice(8, rng.integers(1, 5)) + 1) for _ in range(rng.integers(2, 9))]
        for _ in range(30)
    ]
    bought = [[{item for item in b if rng.random() < 0.4} for b in baskets] for baskets in seen]
    events = [
        (user, item, len(baskets) - 1 - at, was_bought)
        for user, baskets in enumerate(seen)
        for at, basket in enumerate(baskets)
        for item in sorted(basket)
        # Who buys an item has looked at it first.
        for was_bought in ([False, True] if item in bought[user][at] else [False])
    ]
    *columns, wanted = np.array(events).T
    found = repeat_lift(*columns, items=9, wanted=wanted.astype(bool))
    lift, chances = by_hand(seen, 9, bought)
    np.testing.assert_allclose(found.lift, lift, rtol=1e-12)
    np.testing.assert_array_equal(found.chances, chances)


def test_the_order_of_the_events_does_not_matter():
    rng = np.random.default_rng(1)
    user, ago = rng.integers(0, 5, 200), rng.integers(0, 12, 200)
    item = rng.integers(1, 7, 200)
    shuffled = rng.permutation(200)
    one = repeat_lift(user, item, ago, 6)
    other = repeat_lift(user[shuffled], item[shuffled], ago[shuffled], 6)
    np.testing.assert_allclose(one.lift, other.lift)


@pytest.mark.parametrize("items", [0, 3])
def test_without_events_every_lift_is_one(items):
    nothing = np.zeros(0, int)
    found = repeat_lift(nothing, nothing, nothing, items)
    assert found.lift.tolist() == [1.0] * (items + 1)
