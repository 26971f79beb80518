"""Are there clusters at all? Tests for a valley of low density between every two of them.

Any algorithm cuts any cloud into K parts, and indices of tightness rank such cuts without ever
saying that the cloud is one piece. Here a cluster is a region of higher density, so between two
of them there must be fewer points than at either. The test, for clusters i and j:

1. The points are split into halves. Each half is looked at with the centroids that were fitted on
   the other: centroids fitted on the same points lie where chance made them dense (data of many
   dimensions always look split along a direction that was fitted to them).
2. In the space that the K centroids span, a point has a position t on the line from i (0) to j (1)
   and a distance r from that line. Weights exp(-r^2 / 2 h^2), h the spread within clusters, keep
   what lies near the line; nothing is cut off by cluster borders, which would thin out the middle
   of any cloud. The density along the line is f(s) = sum of weight x exp(-(t - s)^2 / 2 b^2).
3. The valley is where f is lowest between .2 and .8 in the *other* half. Its depth is compared with
   the lower of the two ends, f(0) and f(1): the ratio is 1 without a valley.
4. "Separated" means f(valley) < .8 f(end) at both ends, each by a one-sided test: the sum of the
   points' contributions over its standard error. Both must hold, so the pair needs no correction.
   Ends where fewer than ten points lie, counted by weight, are no evidence.

Why a continuum passes for none: a log-concave density (Gaussian of any shape, uniform on any convex
body, mixtures of topics) stays log-concave when it is projected, weighted by a Gaussian and
smoothed (Prekopa 1973), so f has no valley. Embeddings scaled to length one are covered where they
are projected to few dimensions. Not covered are continua that are bent: between the ends of a
half-circle there is a hollow. Asking for a fifth below the lower end, and not for any difference,
leaves room for slight bends however many users there are. Two Gaussians of equal size and variance
reach a ratio of .8 when their means are 2.7 standard deviations apart; nearer ones count as one.

Error rates by simulation: `benchmarks/cluster_existence.py`, `docs/explain/clusters.md`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csgraph
from scipy.stats import norm
from sklearn.metrics.pairwise import euclidean_distances

from components.sequence_clusterer.choice.internal_measures import count_distinct

DEPTH = 0.8
"""A valley's density must be below this share of the lower end's."""
_MOST_POINTS = 20_000
_VALLEYS = np.linspace(0.2, 0.8, 7)
# Width of the kernel along the line, as a part of its length.
_BANDWIDTH = 0.1
_SMALLEST_VARIANCE = 1e-12
# Points that must lie at each end, counted by weight: the test's normal approximation needs some.
_FEWEST_AT_END = 10.0


@dataclasses.dataclass(frozen=True)
class Separation:
    """Valleys between clusters.

    Attributes:
        ratios: float64 [K, K] density in the valley over that at the lower end, 1 on the diagonal;
            below 1 where there is a valley.
        p_values: float64 [K, K] of the hypothesis that the ratio is at least `DEPTH`, 1 on the
            diagonal.
    """

    ratios: np.ndarray
    p_values: np.ndarray

    def separated(self, level: float) -> np.ndarray:
        """Pairs with a valley between them at this level of significance, bool [K, K]."""
        return self.p_values < level

    def groups(self, level: float) -> int:
        """How many groups the clusters form when those without a valley between are joined."""
        joined = ~self.separated(level)
        return int(csgraph.connected_components(joined, directed=False, return_labels=False))


def measure_separation(
    points: np.ndarray,
    fit: Callable[[np.ndarray], np.ndarray],
    centroids: np.ndarray,
    seed: int,
) -> Separation | None:
    """Tests every pair of clusters for a valley.

    Args:
        points: float32 [n, dim]; at most 20 000 of them, drawn at random, are looked at.
        fit: gives the centroids of K clusters of the points that it is given, one of the halves.
        centroids: float32 [K, dim] of the clustering to judge, which gives the order.
        seed: decides the halves.

    Returns:
        The valleys; None where a half is too small or does not give K clusters. Time and memory
        grow with n K^2.
    """
    k = len(centroids)
    if k < 2:
        return None
    order = np.random.default_rng(seed).permutation(len(points))[:_MOST_POINTS]
    halves = [points[order[::2]], points[order[1::2]]]
    if any(count_distinct(half, k + 1) < k for half in halves):
        return None
    fitted = [fit(half) for half in halves]
    if any(len(found) != k for found in fitted):
        return None
    matched = [_in_order_of(found, centroids) for found in fitted]
    densities = [_densities(halves[0], matched[1]), _densities(halves[1], matched[0])]
    ratios, p_values = np.ones((k, k)), np.ones((k, k))
    for i, j in itertools.combinations(range(k), 2):
        result = _valley([half[i, j] for half in densities])
        ratios[i, j], p_values[i, j] = ratios[j, i], p_values[j, i] = result
    return Separation(ratios, p_values)


def _in_order_of(centroids: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The centroids in the order of those they lie nearest to, one to one."""
    rows, columns = linear_sum_assignment(euclidean_distances(reference, centroids, squared=True))
    return centroids[columns[np.argsort(rows)]]


def _densities(points: np.ndarray, centroids: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """Contributions of each point to the density along the line between every two centroids.

    Returns:
        float64 [n, 2 + valleys] a pair: at the ends 0 and 1, then at `_VALLEYS`.
    """
    k = len(centroids)
    origin = centroids.mean(axis=0)
    axes = np.linalg.svd(centroids - origin, full_matrices=False)[2][: k - 1]
    inside = (points - origin).astype(np.float64) @ axes.T
    ends = (centroids - origin).astype(np.float64) @ axes.T
    distances = np.stack([((inside - end) ** 2).sum(axis=1) for end in ends], axis=1)
    variance = max(float(distances.min(axis=1).mean()) / len(axes), _SMALLEST_VARIANCE)
    places = np.concatenate([[0.0, 1.0], _VALLEYS])
    contributions = {}
    for i, j in itertools.combinations(range(k), 2):
        line = ends[j] - ends[i]
        squared_length = max(float(line @ line), _SMALLEST_VARIANCE)
        position = (inside - ends[i]) @ line / squared_length
        off_line = np.maximum(distances[:, i] - position**2 * squared_length, 0.0)
        weights = np.exp(-off_line / (2 * variance))
        kernel = np.exp(-((position[:, np.newaxis] - places) ** 2) / (2 * _BANDWIDTH**2))
        contributions[i, j] = weights[:, np.newaxis] * kernel
    return contributions


def _valley(halves: list[np.ndarray]) -> tuple[float, float]:
    """Ratio and p-value of one pair, from the contributions of both halves."""
    lowest = [2 + int(half[:, 2:].sum(axis=0).argmin()) for half in halves]
    valley = np.concatenate([halves[0][:, lowest[1]], halves[1][:, lowest[0]]])
    ratio, p_value = 0.0, 0.0
    for end in (0, 1):
        peak = np.concatenate([half[:, end] for half in halves])
        difference = valley - DEPTH * peak
        error = float(np.sqrt((difference**2).sum()))
        if error == 0.0 or _effective(peak) < _FEWEST_AT_END:
            return 1.0, 1.0
        ratio = max(ratio, float(valley.sum() / peak.sum()))
        p_value = max(p_value, float(norm.cdf(difference.sum() / error)))
    return ratio, p_value


def _effective(weights: np.ndarray) -> float:
    """How many equally weighted points these weights are worth (Kish 1965)."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0
