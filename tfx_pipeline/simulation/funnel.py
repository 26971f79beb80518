"""The funnel: what a customer views and puts into the cart before a purchase, and often instead.

A decision of the model is an item that the customer means to have. The customer views it among
other items of its category, and may put it into the cart, look on, and buy it. Only decided items
are carted or bought; which of the viewed ones that will be, the cart tells and popularity does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfx_pipeline.simulation.draws import Draws
from tfx_pipeline.simulation.timetable import increasing

VIEW, CART, PURCHASE = "view", "cart", "purchase"
ACTIONS = (VIEW, CART, PURCHASE)
_SECONDS = 20
"""Between two events of one decision, unless the decision before is too near."""
_CART = 1.5


@dataclass(frozen=True)
class Funnel:
    """The events of all decisions, user by user in order of time; arrays [n].

    Attributes:
        decisions: int64, the decision that an event belongs to.
        items: int64.
        actions: int64, an index of `ACTIONS`.
        times: int64, epoch seconds, strictly increasing within a user.
        decided: bool, whether the item is the decided one, not one beside it.
    """

    decisions: np.ndarray
    items: np.ndarray
    actions: np.ndarray
    times: np.ndarray
    decided: np.ndarray


def draw_funnel(draws: Draws, chance: np.random.Generator) -> Funnel:
    """Draws the events of all decisions.

    Args:
        draws: the decisions: users, times and items.
        chance: source of randomness.
    """
    config, assortment = draws.model.config, draws.model.assortment
    chosen = draws.choices.items.astype(np.int64)
    count = len(chosen)
    carted = chance.random(count) < config.carts
    bought = carted & (chance.random(count) < config.purchases)
    every = np.arange(count)
    beside = np.repeat(every, chance.poisson(config.views, count))
    others = assortment.draw(assortment.categories[chosen[beside]], chance.random(len(beside)))
    # The order within a decision: views from 0 to 1, the cart, further views from 2 to 3, and
    # the purchase.
    later = carted[beside] & (chance.random(len(beside)) < 0.5)
    parts = [
        (beside, others, 0, chance.random(len(beside)) + 2 * later, False),
        (every, chosen, 0, chance.random(count), True),
        (every[carted], chosen[carted], 1, np.full(carted.sum(), _CART), True),
        (every[bought], chosen[bought], 2, np.full(bought.sum(), 2 * _CART), True),
    ]
    decisions, items, place = (np.concatenate([part[i] for part in parts]) for i in (0, 1, 3))
    actions, decided = (
        np.concatenate([np.full(len(part[0]), part[i]) for part in parts]) for i in (2, 4)
    )
    order = np.lexsort((place, decisions))
    decisions = decisions[order]
    # The decision's time is that of its last event.
    after = np.bincount(decisions, minlength=count).cumsum()[decisions] - 1 - np.arange(len(order))
    times = draws.timetable.times[decisions] - _SECONDS * after
    times = increasing(times, draws.timetable.users[decisions])
    return Funnel(decisions, items[order], actions[order], times, decided[order])
