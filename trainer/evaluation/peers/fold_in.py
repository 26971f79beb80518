"""Vectors of users whom a method did not train on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Vectors = npt.NDArray[np.floating]

_RIDGE = 1e-3
"""Share of the mean squared vector that steadies the solution."""


class FoldIn:
    """A linear map from the mean vector of a history's items to the vector of its user.

    BPR learns a vector for each training user and says nothing about others. The map is the
    least-squares solution for the training users, whose both sides are known. Everybody who is
    judged gets its vector by the map, training users too: their histories have gone on.

    Args:
        users: floats [users, width], the learnt vectors.
        items: floats [items, depth], those of the items.
        history: [users, items], what the users were trained on.
    """

    def __init__(self, users: Vectors, items: Vectors, history: sp.csr_matrix) -> None:
        self._items = items
        means = self._means(history)
        gram = means.T @ means
        steady = _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
        self._map = np.linalg.solve(gram + steady, means.T @ users)

    def __call__(self, history: sp.csr_matrix) -> Vectors:
        """float64 [users, width]; an empty history gives what is common to all users."""
        return self._means(history) @ self._map

    def _means(self, history: sp.csr_matrix) -> npt.NDArray[np.float64]:
        """float64 [users, depth + 1], with a 1 at the end."""
        had = np.diff(history.indptr)
        sums = sp.csr_matrix(history, dtype=np.float64) @ self._items.astype(np.float64)
        return np.column_stack([sums / np.maximum(had, 1)[:, None], np.ones(len(had))])
