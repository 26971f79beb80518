"""Item vectors made from which items occur close to each other in the histories."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from sklearn.utils.extmath import randomized_svd

from trainer.data import features
from trainer.data.histories import Histories

DIMENSIONS = 64
WINDOW = 8
"""How many events apart two items may be to count as a pair; a pair counts 1 / distance."""
SMOOTHING = 0.75
"""Exponent of the context counts, which keeps rare contexts from leading."""


def cooccurrence_vectors(histories: Histories, items: int, seed: int) -> np.ndarray:
    """Truncated SVD of the positive pointwise mutual information of items.

    The factorisation that word2vec performs implicitly (Levy & Goldberg 2014, "Neural word
    embedding as implicit matrix factorization"), with their context smoothing (Levy, Goldberg &
    Dagan 2015) and symmetric square-root weighting of the singular values.

    Args:
        histories: the training split.
        items: size of the vocabulary; other items are left out.
        seed: of the randomised decomposition.

    Returns:
        float32 [items, min(DIMENSIONS, items - 1)]; zero for an item that occurs near no other.
    """
    counts = _counts(histories, items)
    total, row = counts.sum(), np.asarray(counts.sum(axis=1)).ravel()
    dimensions = min(DIMENSIONS, items - 1)
    if total == 0:
        return np.zeros((items, dimensions), np.float32)
    context = row**SMOOTHING / (row**SMOOTHING).sum()
    pairs = counts.tocoo()
    information = np.log(pairs.data / (row[pairs.row] * context[pairs.col]))
    positive = information > 0
    matrix = scipy.sparse.csr_matrix(
        (information[positive], (pairs.row[positive], pairs.col[positive])), shape=counts.shape
    )
    left, values, _ = randomized_svd(matrix, dimensions, n_iter=4, random_state=seed)
    return (left * np.sqrt(values)).astype(np.float32)


def _counts(histories: Histories, items: int) -> scipy.sparse.csr_matrix:
    """Symmetric [items, items]: how often two items are close, weighted by their distance."""
    item = histories.columns[features.ITEM] - 1
    user = np.repeat(np.arange(len(histories)), histories.lengths)
    counts = scipy.sparse.csr_matrix((items, items))
    for distance in range(1, min(WINDOW, len(item) - 1) + 1):
        first, second = item[:-distance], item[distance:]
        pair = (user[:-distance] == user[distance:]) & (first != second)
        pair &= (first < items) & (second < items)
        weights = np.full(int(pair.sum()), 1.0 / distance)
        counts += scipy.sparse.csr_matrix((weights, (first[pair], second[pair])), counts.shape)
    return counts + counts.T
