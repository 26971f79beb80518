"""Taste: which categories a cluster, or one of its users, buys from."""

from __future__ import annotations

import numpy as np

from tfx_pipeline.simulation.assortment import Assortment


def cluster_mixes(assortment: Assortment, clusters: int, taste: float) -> np.ndarray:
    """The category mix of each cluster: what is popular, shifted to the cluster's own categories.

    Category c is one of cluster c mod K's own.

    Args:
        assortment: whose category shares are the mix that all clusters share.
        clusters: K.
        taste: d in [0, 1].

    Returns:
        float64 [K, C], rows adding up to 1. The total variation between two rows is d.
    """
    shared = assortment.category_shares
    owners = np.arange(len(shared)) % clusters
    own = np.where(owners == np.arange(clusters)[:, None], shared, 0.0)
    return (1 - taste) * shared + taste * own / own.sum(axis=1, keepdims=True)


def individual_mixes(
    mixes: np.ndarray, individuality: float, chance: np.random.Generator
) -> np.ndarray:
    """Draws a mix around each given one: Dirichlet(concentration x mix).

    The concentration is (1 - i) / i, so that two draws of one user are from the same category
    with probability i + (1 - i) sum_c mix_c^2 (Ferguson 1973; the Polya urn's first two draws).

    Args:
        mixes: float64 [n, C], rows adding up to 1.
        individuality: i in (0, 1).
        chance: source of randomness.

    Returns:
        float64 [n, C], rows adding up to 1.
    """
    gammas = chance.standard_gamma(mixes * (1 - individuality) / individuality)
    return gammas / gammas.sum(axis=1, keepdims=True)


def draw_categories(mixes: np.ndarray, rows: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Draws a category for each event.

    Args:
        mixes: float64 [n, C], rows adding up to 1.
        rows: int64 [events] the row of `mixes` that an event follows.
        uniforms: float64 [events] in [0, 1).

    Returns:
        int64 [events].
    """
    count = mixes.shape[1]
    ends = np.cumsum(mixes, axis=1)
    ends /= ends[:, -1:]
    # All rows in one sorted array: row n covers [n, n + 1). The limit keeps a draw in its row
    # when the sum is rounded.
    levels = rows + np.minimum(uniforms, 1 - 1e-9)
    flat = (ends + np.arange(len(mixes))[:, None]).ravel()
    return np.minimum(np.searchsorted(flat, levels, side="right") - rows * count, count - 1)
