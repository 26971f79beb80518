"""How often people buy what they already have, and whether seen items may be recommended."""

import numpy as np
import numpy.typing as npt

EXCLUDE_SEEN_BELOW = 0.05
"""Below this share of repeats, recommending what the user already has wastes places in the list."""


def repeat_share(flat_items: npt.NDArray[np.generic], row_splits: npt.NDArray[np.int64]) -> float:
    """Share of the events, after each user's first, whose item the user had before.

    Args:
        flat_items: [events], item ids or indices of all users, each user's oldest first.
        row_splits: int64 [users + 1], user `u` owns `flat_items[row_splits[u]:row_splits[u + 1]]`.

    Returns:
        A share in [0, 1]; 0 if no user has two events.

    Raises:
        ValueError: `row_splits` does not cover `flat_items`.
    """
    flat = np.asarray(flat_items)
    splits = np.asarray(row_splits, dtype=np.int64)
    if splits.size == 0 or splits[0] != 0 or splits[-1] != flat.size:
        raise ValueError(
            f"row_splits must run from 0 to the number of events ({flat.size}); it runs from "
            f"{splits[0] if splits.size else 'nothing'} to {splits[-1] if splits.size else 'nothing'}"
        )
    lengths = np.diff(splits)
    later_events = int(np.maximum(lengths - 1, 0).sum())
    if later_events == 0:
        return 0.0
    _, items = np.unique(flat, return_inverse=True)
    users = np.repeat(np.arange(lengths.size, dtype=np.int64), lengths)
    # One integer for each (user, item), so that a single sort counts the distinct pairs. Every
    # event of a user beyond the distinct items is a repeat.
    pairs = users * (int(items.max()) + 1) + items
    repeats = flat.size - np.unique(pairs).size
    return repeats / later_events


def should_exclude_seen(share: float) -> bool:
    """Whether items that a user already has are left out of the recommendations.

    Args:
        share: what `repeat_share` measured on the training histories.
    """
    return share < EXCLUDE_SEEN_BELOW
