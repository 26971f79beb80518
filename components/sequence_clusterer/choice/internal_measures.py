"""Measures of a clustering from its points alone: how tight and how far apart its clusters are.

Points labelled -1 are noise and left out of every measure. None of these measures can say that
there are no clusters: they rank partitions. `separation` tests whether there are any.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from sklearn import metrics

from components.sequence_clusterer.evaluation_record import SilhouetteSpread

_BOOTSTRAP_REPLICATES = 500
# Embeddings closer than this in every coordinate count as the same one.
_DISTINCT_DECIMALS = 5
_QUANTILES = np.linspace(0.0, 1.0, 21)


@dataclasses.dataclass(frozen=True)
class Silhouette:
    """Silhouettes (Rousseeuw 1987) of the sampled points, each (b - a) / max(a, b).

    Here a is a point's mean distance to its own cluster, b that to the nearest other one.

    Attributes:
        mean: over all sampled points, -1 to 1; None where it is not defined (fewer than two
            clusters in the sample, or as many as points).
        interval: its 95 % bootstrap interval over points, the clustering held fixed.
        by_cluster: mean of each cluster's points; None for a cluster without a sampled point.
        spread: more about each cluster's points; None as above.
    """

    mean: float | None = None
    interval: tuple[float, float] | None = None
    by_cluster: tuple[float | None, ...] = ()
    spread: tuple[SilhouetteSpread | None, ...] = ()


class SilhouetteSample:
    """One sample of points on which the silhouettes of all candidates are measured.

    All pairs of distances are computed once: m^2 floats for a sample of m points, 200 MB for
    5 000.
    """

    def __init__(self, points: np.ndarray, most: int, seed: int):
        """Draws the sample.

        Args:
            points: float32 [n, dim].
            most: at most so many points.
            seed: decides the sample and the bootstrap.
        """
        rng = np.random.default_rng(seed)
        size = min(len(points), most)
        self._sample = np.sort(rng.choice(len(points), size, replace=False))
        self._distances = metrics.pairwise_distances(points[self._sample])
        np.fill_diagonal(self._distances, 0.0)
        self._seed = seed

    def measure(self, labels: np.ndarray, k: int) -> Silhouette:
        """The silhouettes of a clustering.

        Args:
            labels: int64 [n] in [-1, k), of all points.
            k: the number of clusters.
        """
        sampled = labels[self._sample]
        kept = np.flatnonzero(sampled >= 0)
        sampled = sampled[kept]
        if not 1 < len(np.unique(sampled)) < len(sampled):
            return Silhouette(by_cluster=(None,) * k, spread=(None,) * k)
        distances = self._distances
        if len(kept) < len(distances):
            distances = distances[np.ix_(kept, kept)]
        values = metrics.silhouette_samples(distances, sampled, metric="precomputed")
        spread = tuple(_spread(values[sampled == cluster]) for cluster in range(k))
        return Silhouette(
            mean=float(values.mean()),
            interval=_interval_of_mean(values, self._seed),
            by_cluster=tuple(
                float(values[sampled == cluster].mean()) if found else None
                for cluster, found in enumerate(spread)
            ),
            spread=spread,
        )


def davies_bouldin(points: np.ndarray, labels: np.ndarray) -> float | None:
    """Mean over clusters of the worst (S_i + S_j) / d_ij; lower is better.

    Davies and Bouldin (1979). S is a cluster's mean distance to its centroid, d the distance of two
    centroids. None where there are fewer than two clusters, or as many as points.
    """
    kept = labels >= 0
    if not 1 < len(np.unique(labels[kept])) < kept.sum():
        return None
    return float(metrics.davies_bouldin_score(points[kept], labels[kept]))


def calinski_harabasz(points: np.ndarray, labels: np.ndarray) -> float | None:
    """Calinski and Harabasz (1974): variance between over variance within; higher is better.

    Both are divided by their degrees of freedom, K - 1 and n - K. None where there are fewer than
    two clusters, as many as points, or no variance within.
    """
    kept = labels >= 0
    if not 1 < len(np.unique(labels[kept])) < kept.sum():
        return None
    if dispersion_within(points, labels) == 0.0:
        return None
    return float(metrics.calinski_harabasz_score(points[kept], labels[kept]))


def dispersion_within(points: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squared distances of the points to the mean of their own cluster, noise left out."""
    total = 0.0
    for cluster in np.unique(labels[labels >= 0]):
        own = points[labels == cluster].astype(np.float64)
        total += float(((own - own.mean(axis=0)) ** 2).sum())
    return total


def elbow_k(ks: Sequence[int], inertias: Sequence[float]) -> int:
    """The k whose inertia lies furthest below the chord from the first to the last (kneedle).

    Satopaa et al. 2011. Both axes are scaled to [0, 1] first. With fewer than three values there
    is no bend: the last k is returned.
    """
    drop = inertias[0] - inertias[-1]
    if len(ks) < 3 or drop <= 0:
        return ks[-1] if drop > 0 else ks[0]
    x = (np.asarray(ks, dtype=float) - ks[0]) / (ks[-1] - ks[0])
    y = (np.asarray(inertias, dtype=float) - inertias[-1]) / drop
    return int(ks[int(np.argmax(1.0 - x - y))])


def count_distinct(points: np.ndarray, at_most: int) -> int:
    """The number of distinct points, counted no further than `at_most`."""
    rows: set[bytes] = set()
    for row in points:
        # + 0.0 makes -0.0 and 0.0 the same bytes
        rows.add((np.round(row, _DISTINCT_DECIMALS) + 0.0).tobytes())
        if len(rows) >= at_most:
            break
    return len(rows)


def sizes_of(labels: np.ndarray, k: int) -> list[int]:
    """Points in each of k clusters, noise left out."""
    return [int(size) for size in np.bincount(labels[labels >= 0], minlength=k)]


def _spread(values: np.ndarray) -> SilhouetteSpread | None:
    """The spread of one cluster's silhouettes; None where there are none."""
    if not len(values):
        return None
    quantiles = np.quantile(values, _QUANTILES)
    return SilhouetteSpread(
        users=len(values),
        quantiles=tuple(round(float(value), 4) for value in quantiles),
        below_zero=float((values < 0).mean()),
    )


def _interval_of_mean(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of a mean."""
    rng = np.random.default_rng(seed)
    # A replicate at a time: all at once would take replicates x points of memory.
    means = [
        values[rng.integers(0, len(values), len(values))].mean()
        for _ in range(_BOOTSTRAP_REPLICATES)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
