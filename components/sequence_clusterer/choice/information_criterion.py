"""BIC of a clustering, as of a mixture of round Gaussians."""

from __future__ import annotations

import math

import numpy as np

from components.sequence_clusterer.choice.internal_measures import dispersion_within, sizes_of


def spherical_bic(points: np.ndarray, labels: np.ndarray, k: int) -> float | None:
    """BIC of X-means (Pelleg and Moore 2000), lower is better.

    The model: every point belongs wholly to its cluster, and all clusters are Gaussians with the
    same variance in every direction. With n points, dimension d and dispersion W within clusters,
    variance s = W / (d (n - k)), parameters p = k - 1 (shares) + k d (means) + 1 (variance):

        log L = sum_c n_c log(n_c / n) - n d / 2 log(2 pi s) - d (n - k) / 2
        BIC   = -2 log L + p log n

    (The paper's own variance lacks the factor d, a known slip, and its BIC has the opposite sign.)
    Embeddings are not round, and with many users a better fit always pays for more clusters: on a
    continuum this BIC falls on and on. It is shown and does not decide.

    Args:
        points: float32 [n, dim].
        labels: int64 [n] in [-1, k); noise is left out.
        k: the number of clusters.

    Returns:
        The BIC; None where the variance is zero or no point is left to estimate it.
    """
    sizes = [size for size in sizes_of(labels, k) if size]
    n, dim = sum(sizes), points.shape[1]
    within = dispersion_within(points, labels)
    if n <= k or within <= 0.0:
        return None
    variance = within / (dim * (n - k))
    log_likelihood = (
        sum(size * math.log(size / n) for size in sizes)
        - n * dim / 2 * math.log(2 * math.pi * variance)
        - dim * (n - k) / 2
    )
    parameters = k - 1 + k * dim + 1
    return -2 * log_likelihood + parameters * math.log(n)
