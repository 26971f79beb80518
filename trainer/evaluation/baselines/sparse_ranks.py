"""Ranks in the whole catalogue from the scores of a few items."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]


class ItemScores(NamedTuple):
    """A ranking of the catalogue for each of some users.

    First the items with an entry, by falling score; then all others. Equal scores, and all items
    without one, stand by their places.

    Attributes:
        scores: floats [users, items + 1], sparse; column 0 is empty.
        places: int64 [items + 1], see `catalogue_places`.
    """

    scores: sp.csr_matrix
    places: Indices


def sparse_ranks(
    ranked: ItemScores,
    targets: Integers,
    target_splits: Integers,
    seen: sp.csr_matrix | None = None,
) -> Indices:
    """Rank of each user's targets.

    Args:
        ranked: the ranking of each user.
        targets: integers [targets], the items to find.
        target_splits: integers [users + 1], user `u` owns
            `targets[target_splits[u]:target_splits[u + 1]]`.
        seen: [users, items + 1], entries are items that are left out of the ranking.

    Returns:
        int64 [targets], 1-based; `items + 1` for a target that is not in the catalogue or left
        out. A user's targets do not move each other: all are ranked in one and the same list.
    """
    matrix, places = ranked
    items = places.size - 1
    wanted = np.asarray(targets, np.int64)
    known = np.where((wanted >= 1) & (wanted <= items), wanted, 0)
    ranks = places[known]
    # One row of scores at a time; -inf = no score.
    row_scores = np.full(items + 1, -np.inf)
    is_seen = np.zeros(items + 1, bool)
    for user in _users_to_look_at(matrix, target_splits, seen):
        mine = slice(target_splits[user], target_splits[user + 1])
        entries = slice(matrix.indptr[user], matrix.indptr[user + 1])
        scored, score = matrix.indices[entries], matrix.data[entries]
        target = known[mine]
        unscored_seen = scored[:0]
        if seen is not None:
            left_out = seen.indices[seen.indptr[user] : seen.indptr[user + 1]]
            is_seen[left_out] = True
            kept = ~is_seen[scored]
            scored, score = scored[kept], score[kept]
            unscored_seen = left_out
        row_scores[scored] = score
        ranks[mine] = _row_ranks(
            row_scores[target], places[target], score, places[scored], places[unscored_seen]
        )
        ranks[mine][is_seen[target]] = items + 1
        row_scores[scored] = -np.inf
        is_seen[unscored_seen] = False
    ranks[known == 0] = items + 1
    return ranks


def _users_to_look_at(
    matrix: sp.csr_matrix, target_splits: Integers, seen: sp.csr_matrix | None
) -> Indices:
    """Users with targets, and with something that makes their ranking another than the places'."""
    entries = np.diff(matrix.indptr) + (0 if seen is None else np.diff(seen.indptr))
    return np.flatnonzero((np.diff(target_splits) > 0) & (entries > 0))


def _row_ranks(
    target_score: npt.NDArray[np.floating],
    target_place: Indices,
    score: npt.NDArray[np.floating],
    place: Indices,
    seen_place: Indices,
) -> Indices:
    """Ranks of one user's targets.

    Args:
        target_score: floats [targets], -inf = not scored.
        target_place: int64 [targets].
        score: floats [entries] of the scored items that may be listed.
        place: int64 [entries].
        seen_place: int64 [seen], of the items that are left out; none of them is an entry.
    """
    ordered = np.sort(score)
    last = np.searchsorted(ordered, target_score, side="right")
    ranks = 1 + score.size - last
    tied = np.flatnonzero(last - np.searchsorted(ordered, target_score) > 1)
    if tied.size:
        # Every tied target is compared with the entries that tie with any, not with all.
        ties = np.isin(score, np.unique(target_score[tied]))
        sooner = place[ties] < target_place[tied, None]
        ranks[tied] += ((score[ties] == target_score[tied, None]) & sooner).sum(axis=1)
    # A target without a score stands behind all entries, and behind whatever of the rest has a
    # lower place.
    unscored = np.flatnonzero(np.isneginf(target_score))
    if unscored.size:
        passed = np.sort(np.concatenate([place, seen_place]))
        own = target_place[unscored]
        ranks[unscored] += own - 1 - np.searchsorted(passed, own)
    return ranks
