"""A small log in which tastes decide: a user takes items of one taste, popularity does not help."""

from __future__ import annotations

import numpy as np

from tests.helpers.item_histories import histories
from trainer.evaluation.baselines.selection import HeldOut
from trainer.evaluation.metrics import basket_values

TASTES, OF_TASTE = 4, 8
ITEMS = TASTES * OF_TASTE


def ndcg(ranks, splits):
    return basket_values(np.where(ranks > ITEMS, 0, ranks), splits, "basket_ndcg@10")


def tastes_log(users: int, seed: int, in_order: bool = False):
    """Histories of six different items of one taste, and two items of it that are held out.

    Args:
        users: how many.
        seed: of the draw.
        in_order: the items of a taste follow each other in a circle, so that the last one tells
            the next; else in any order.

    Returns:
        Histories and HeldOut.
    """
    rng = np.random.default_rng(seed)
    rows, targets = [], []
    for user in range(users):
        own = 1 + user % TASTES * OF_TASTE + np.arange(OF_TASTE)
        order = np.roll(own, rng.integers(OF_TASTE)) if in_order else rng.permutation(own)
        rows.append(order[:6].tolist())
        targets.append(order[6:])
    log = histories(*rows)
    return log, HeldOut(log, np.concatenate(targets), np.arange(users + 1) * 2)
