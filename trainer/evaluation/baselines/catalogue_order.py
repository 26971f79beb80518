"""The catalogue in one order, from which all users get what no rule scores for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]


def item_counts(flat_items: Integers, n_items: int) -> Indices:
    """Number of events of each item.

    Args:
        flat_items: integers [events]; items are 1 … n_items, everything else is ignored.
        n_items: size of the catalogue.

    Returns:
        int64 [n_items]; `counts[i - 1]` belongs to item `i`.
    """
    flat = np.asarray(flat_items)
    known = flat[(flat >= 1) & (flat <= n_items)]
    return np.bincount(known, minlength=n_items + 1)[1:].astype(np.int64)


def random_order(n_items: int, seed: int) -> Indices:
    """The order of items that nothing else tells apart: int64 [n_items], drawn.

    An item's index says how popular it is, so that ties by index would flatter a rule.
    """
    return np.random.default_rng(seed).permutation(n_items)


def catalogue_places(ties: Indices, *values: npt.NDArray[np.generic]) -> Indices:
    """Places of the items when the largest value comes first.

    Args:
        ties: int64 [n_items], a permutation; of items with equal values the smaller one comes
            first.
        values: numbers [n_items] of item 1, 2 …; where the first ones are equal, the second decide.

    Returns:
        int64 [n_items + 1], the 1-based place of item `i` at `[i]`; at `[0]`, the unknown item,
        `n_items + 1`.

    Example:
        >>> catalogue_places(np.array([1, 0, 2]), np.array([5, 5, 7])).tolist()
        [4, 3, 2, 1]
    """
    n_items = ties.size
    places = np.empty(n_items + 1, dtype=np.int64)
    places[0] = n_items + 1
    keys = (ties, *(-value.astype(np.float64) for value in reversed(values)))
    places[np.lexsort(keys) + 1] = np.arange(1, n_items + 1)
    return places
