"""Gap statistic: does the inertia fall faster than it would without clusters?

Tibshirani, Walther and Hastie (2001), "Estimating the number of clusters in a data set via the gap
statistic". Gap(k) = E*[log W_k] - log W_k, where W_k is the dispersion within k clusters and E* its
mean over reference sets without clusters. The references are uniform in the box that the data
fill along their principal axes (their variant b). Their rule takes the smallest k with
Gap(k) >= Gap(k + 1) - s_(k + 1), which may be 1: no clusters.

The box is as wide as the most extreme points, so that axes with few far points get too much of it.
In simulations the rule therefore finds clusters in clouds that are merely long
(`docs/explain/clusters.md`). It is shown and does not decide.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np

from components.sequence_clusterer.algorithms import ClusteringAlgorithm
from components.sequence_clusterer.choice.internal_measures import dispersion_within

_REFERENCES = 10
_MOST_POINTS = 2_000


@dataclasses.dataclass(frozen=True)
class Gap:
    """Gap(k).

    Attributes:
        k: the number of clusters.
        gap: E*[log W_k] - log W_k.
        error: s_k, the standard deviation over the references times sqrt(1 + 1 / references).
    """

    k: int
    gap: float
    error: float


def gap_statistic(
    points: np.ndarray, algorithm: ClusteringAlgorithm, ks: Sequence[int], seed: int
) -> list[Gap]:
    """Gap(k) of every k, from a sample of at most 2 000 points and ten references of its size.

    Args:
        points: float32 [n, dim].
        algorithm: fits the sample and the references alike.
        ks: numbers of clusters.
        seed: decides sample, references and starts.

    Returns:
        One entry a k, in the order of `ks`; empty where W_k is zero or the algorithm leaves
        points out as noise or gives another number of clusters, so that no W_k compares.
    """
    rng = np.random.default_rng(seed)
    size = min(len(points), _MOST_POINTS)
    sample = points[np.sort(rng.choice(len(points), size, replace=False))]
    observed = _log_dispersions(sample, algorithm, ks, seed)
    if observed is None:
        return []
    expected = []
    for number in range(_REFERENCES):
        values = _log_dispersions(_reference(sample, rng), algorithm, ks, seed + 1 + number)
        if values is None:
            return []
        expected.append(values)
    references = np.array(expected)
    gaps = references.mean(axis=0) - np.array(observed)
    errors = references.std(axis=0) * math.sqrt(1.0 + 1.0 / _REFERENCES)
    return [
        Gap(k, float(gap), float(error)) for k, gap, error in zip(ks, gaps, errors, strict=True)
    ]


def gap_k(gaps: Sequence[Gap]) -> int | None:
    """The smallest k whose gap the next one does not exceed by more than its error.

    Args:
        gaps: of consecutive k, rising.

    Returns:
        The k; the last one where the gap keeps rising; None of nothing.
    """
    for this, following in itertools.pairwise(gaps):
        if this.gap >= following.gap - following.error:
            return this.k
    return gaps[-1].k if gaps else None


def _reference(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points uniform in the box that the data fill along their principal axes."""
    mean = points.mean(axis=0)
    axes = np.linalg.svd(points - mean, full_matrices=False)[2]
    scores = (points - mean) @ axes.T
    uniform = rng.uniform(scores.min(axis=0), scores.max(axis=0), scores.shape)
    return np.asarray(uniform @ axes + mean, dtype=np.float32)


def _log_dispersions(
    points: np.ndarray, algorithm: ClusteringAlgorithm, ks: Sequence[int], seed: int
) -> list[float] | None:
    """Logarithms of W_k of every k; None if one of them does not compare."""
    values = []
    for k in ks:
        clustering = algorithm.fit(points, k, seed)
        within = dispersion_within(points, clustering.labels)
        # A dispersion of rounding errors only has no meaningful logarithm.
        spread = float(((points - points.mean(axis=0)) ** 2).sum())
        if clustering.k != k or (clustering.labels < 0).any() or within <= 1e-9 * spread:
            return None
        values.append(math.log(within))
    return values
