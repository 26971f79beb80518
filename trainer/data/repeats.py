"""How often people buy items that they had before, and whether seen items may be recommended."""

from typing import Any

import numpy as np
import numpy.typing as npt

EXCLUDE_SEEN_BELOW = 0.05
"""Below this share of repeats, recommending what the user already has wastes places in the list."""


def repeat_share(flat_items: npt.NDArray[Any], row_splits: npt.NDArray[np.int64]) -> float:
    """Share of the events, after each user's first, whose item the user had before.

    Args:
        flat_items: [events], item ids or indices of all users, each user's oldest first.
        row_splits: int64 [users + 1], user `u` owns `flat_items[row_splits[u]:row_splits[u + 1]]`.

    Returns:
        A share in [0, 1]; 0 if no user has two events.

    Raises:
        ValueError: `row_splits` does not cover `flat_items`.

    Example:
        >>> repeat_share(np.array([1, 2, 1, 3, 4]), np.array([0, 3, 5]))  # 1 2 1, and 3 4
        0.3333333333333333
    """
    repeats, later_events = count_repeats(flat_items, row_splits)
    return repeats / later_events if later_events else 0.0


def count_repeats(
    flat_items: npt.NDArray[Any], row_splits: npt.NDArray[np.int64]
) -> tuple[int, int]:
    """Numerator and denominator of `repeat_share`, to be summed over batches of users.

    Args:
        flat_items: [events], as for `repeat_share`.
        row_splits: int64 [users + 1], as for `repeat_share`.

    Returns:
        Events whose item the user had before, and events that are not their user's first.

    Raises:
        ValueError: `row_splits` does not cover `flat_items`.
    """
    flat = np.asarray(flat_items)
    splits = np.asarray(row_splits, dtype=np.int64)
    if splits.size == 0 or splits[0] != 0 or splits[-1] != flat.size:
        raise ValueError(
            f"row_splits must run from 0 to the number of events, {flat.size}; got {splits}"
        )
    if flat.size == 0:
        return 0, 0
    lengths = np.diff(splits)
    _, items = np.unique(flat, return_inverse=True)
    users = np.repeat(np.arange(lengths.size, dtype=np.int64), lengths)
    # One integer for each (user, item), so that a single sort counts the distinct pairs. Every
    # event of a user beyond the distinct items is a repeat.
    pairs = users * (int(items.max()) + 1) + items
    return flat.size - np.unique(pairs).size, int(np.maximum(lengths - 1, 0).sum())


def should_exclude_seen(share: float) -> bool:
    """Whether items that a user already has are left out of the recommendations.

    Args:
        share: what `repeat_share` measured on the training histories.
    """
    return share < EXCLUDE_SEEN_BELOW
