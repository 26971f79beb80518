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
    for user in np.flatnonzero(np.diff(target_splits)):
        row = np.where(np.isnan(scores[user]), -np.inf, scores[user])
        listed = np.ones(items, bool)
        if seen is not None:
            listed[seen.indices[seen.indptr[user] : seen.indptr[user + 1]] - 1] = False
        mine = wanted[target_splits[user] : target_splits[user + 1]] - 1
        known = np.flatnonzero((mine >= 0) & (mine < items))
        known = known[listed[mine[known]]]
        ranks[target_splits[user] + known] = _row_ranks(
            row[mine[known]], places[1:][mine[known]], row[listed], places[1:][listed]
        )
    return ranks


def _row_ranks(
    target_score: npt.NDArray[np.floating],
    target_place: Indices,
    score: npt.NDArray[np.floating],
    place: Indices,
) -> Indices:
    """Ranks of one user's targets among the listed items, of which they are.

    The scores are sorted once, however many targets there are.

    Args:
        target_score: floats [targets].
        target_place: int64 [targets].
        score: floats [listed].
        place: int64 [listed].
    """
    ordered = np.sort(score)
    last = np.searchsorted(ordered, target_score, side="right")
    ranks = 1 + score.size - last
    for at in np.flatnonzero(last - np.searchsorted(ordered, target_score) > 1):
        ranks[at] += np.count_nonzero((score == target_score[at]) & (place < target_place[at]))
    return ranks
