"""The best items of the whole catalogue from the scores of a few."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.evaluation.baselines.sparse_ranks import ItemScores

Indices = npt.NDArray[np.int64]


def sparse_lists(ranked: ItemScores, k: int, seen: sp.csr_matrix | None = None) -> Indices:
    """The first k items of each user's ranking, the same that `sparse_ranks` finds items in.

    Args:
        ranked: the ranking of each user.
        k: how many items.
        seen: [users, items + 1], entries are items that are left out of the ranking.

    Returns:
        int64 [users, k], best first; 0 where the catalogue has no more items.
    """
    matrix, places = ranked
    by_place = np.argsort(places[1:]) + 1
    lists = np.zeros((matrix.shape[0], k), np.int64)
    taken = np.zeros(places.size, bool)
    for user, row in enumerate(lists):
        entries = slice(matrix.indptr[user], matrix.indptr[user + 1])
        scored, score = matrix.indices[entries], matrix.data[entries]
        left_out = scored[:0]
        if seen is not None:
            left_out = seen.indices[seen.indptr[user] : seen.indptr[user + 1]]
        taken[left_out] = True
        kept = ~taken[scored]
        scored, score = scored[kept], score[kept]
        best = scored[np.lexsort((places[scored], -score))[:k]]
        taken[scored] = True
        # Enough of the others to fill the list, whichever of them are taken.
        others = by_place[: k + scored.size + len(left_out)]
        filled = np.concatenate([best, others[~taken[others]]])[:k]
        row[: filled.size] = filled
        taken[scored] = False
        taken[left_out] = False
    return lists
