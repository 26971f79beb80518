"""Ranks in the whole catalogue where every item has a score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]


def dense_ranks(
    scores: npt.NDArray[np.floating],
    places: Indices,
    targets: Integers,
    target_splits: Integers,
    seen: sp.csr_matrix | None = None,
) -> Indices:
    """Rank of each user's targets.

    Args:
        scores: floats [users, items], item `i` at `[:, i - 1]`; what is no number stands last.
        places: int64 [items + 1], the order of items with equal scores, see `catalogue_places`.
        targets: integers [targets], the items to find.
        target_splits: integers [users + 1], user `u` owns
            `targets[target_splits[u]:target_splits[u + 1]]`.
        seen: [users, items + 1], entries are items that are left out of the ranking.

    Returns:
        int64 [targets], 1-based; `items + 1` for a target that is not in the catalogue or left
        out. A user's targets do not move each other: all are ranked in one and the same list.

    Example:
        >>> places = np.array([4, 3, 2, 1])  # of three items the last one first
        >>> scores = np.array([[0.5, 2.0, 0.5]])
        >>> dense_ranks(scores, places, np.array([1, 2, 3, 7]), np.array([0, 4])).tolist()
        [3, 1, 2, 4]
    """
    items = places.size - 1
    wanted = np.asarray(targets, np.int64)
    ranks = np.full(wanted.size, items + 1, np.int64)
    place = places[1:]
    for user in np.flatnonzero(np.diff(target_splits)):
        row = np.where(np.isnan(scores[user]), -np.inf, scores[user])
        listed = np.ones(items, bool)
        if seen is not None:
            listed[seen.indices[seen.indptr[user] : seen.indptr[user + 1]] - 1] = False
        for at in range(target_splits[user], target_splits[user + 1]):
            item = wanted[at] - 1
            if 0 <= item < items and listed[item]:
                ahead = (row > row[item]) | ((row == row[item]) & (place < place[item]))
                ranks[at] = 1 + np.count_nonzero(ahead & listed)
    return ranks
