"""Small random logs of baskets, and the ranks that a table of scores means."""

from __future__ import annotations

import numpy as np

from tests.helpers.item_histories import histories
from trainer.data import features

DAY = 86_400


def basket_log(users=12, items=9, seed=0, most_baskets=6):
    """Histories with baskets of one to four items on whole days; some users have none.

    Items 0 and above `items` are padding and unknown ones.
    """
    rng = np.random.default_rng(seed)
    rows, times = [], []
    for _ in range(users):
        days = np.sort(rng.choice(40, rng.integers(0, most_baskets + 1), replace=False))
        baskets = [rng.integers(0, items + 2, rng.integers(1, 5)) for _ in days]
        rows.append(np.concatenate([*baskets, np.zeros(0, int)]).astype(int))
        times.append(np.repeat(days * DAY, [len(basket) for basket in baskets]))
    return histories(*rows, times=times)


def rows_of(log):
    """Each user's history as a list of baskets, oldest first: lists of items."""
    found = []
    for start, end in zip(log.splits[:-1], log.splits[1:], strict=True):
        items, times = log.columns[features.ITEM][start:end], log.columns[features.TIME][start:end]
        found.append([items[times == time].tolist() for time in np.unique(times)])
    return found


def days_of(log):
    """The days of these baskets."""
    pairs = zip(log.splits[:-1], log.splits[1:], strict=True)
    return [np.unique(log.columns[features.TIME][start:end]) / DAY for start, end in pairs]


def all_targets(log, items):
    """Every item, one that nobody can list, and their splits, for each user."""
    targets = np.tile(np.arange(1, items + 2), len(log))
    return targets, np.arange(len(log) + 1) * (items + 1)


def oracle_ranks(scores, places, seen=()):
    """The definition, spelled out: ranks of items 1 … n and of an unknown one.

    Args:
        scores: item to score; others stand behind, by their places.
        places: of item 1 … n at [1] …
        seen: items that are left out.
    """
    items = len(places) - 1
    listed = [item for item in range(1, items + 1) if item not in seen]

    def key(item):
        return (item not in scores, -scores.get(item, 0), places[item])

    order = sorted(listed, key=key)
    ranks = [order.index(i) + 1 if i in order else items + 1 for i in range(1, items + 1)]
    return [*ranks, items + 1]


def assert_ranks(baseline, constants, log, scores, places, items, exclude_seen=False):
    """What a baseline ranks is what the scores of each user mean."""
    targets, splits = all_targets(log, items)
    ranks = baseline.ranks([constants], log, targets, splits, exclude_seen)[0]
    seen = [{i for basket in row for i in basket} if exclude_seen else () for row in rows_of(log)]
    expected = [oracle_ranks(s, places, left_out) for s, left_out in zip(scores, seen, strict=True)]
    np.testing.assert_array_equal(ranks.reshape(len(log), -1), expected)
