"""Stability: does the clustering come back when the users or the starts are drawn anew?

A part that does not come back is an accident of the sample. The reverse does not hold: a cloud
without any cluster that is longer one way than the others is always cut in the middle, and with
enough users every unique optimum is stable (Ben-David, von Luxburg and Pal 2006). Stability as a
measure of the number of clusters (Lange et al. 2004) is therefore shown and does not decide
whether there are clusters; `separation` does.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from sklearn.metrics import adjusted_rand_score

from components.sequence_clusterer.algorithms import ClusteringAlgorithm
from components.sequence_clusterer.choice.internal_measures import count_distinct, sizes_of

_RESAMPLES = 20
_SEEDS = 5
_MOST_POINTS = 2_000

READINGS = ((0.85, "highly stable"), (0.75, "stable"), (0.6, "pattern"), (0.5, "doubtful"))
"""Hennig's reading of a cluster's mean Jaccard coefficient: from this value up."""
DISSOLVED = "dissolved"


@dataclasses.dataclass(frozen=True)
class Stability:
    """How well a clustering comes back.

    Attributes:
        resampled: mean adjusted Rand index (Hubert and Arabie 1985) of the clustering and those of
            bootstrap resamples, over the drawn users; 1 the same, 0 as by chance.
        resampled_interval: the 2.5 % and 97.5 % quantiles of the resamples.
        reseeded: mean adjusted Rand index of the clustering and those of other seeds on the same
            users; None where nothing could be fitted.
        jaccard: a cluster's mean over resamples of the largest Jaccard coefficient with a cluster
            of the resample (Hennig 2007); None for a cluster that was never drawn.
        together: float64 [K, K] mean share of pairs of users, one of cluster i and one of j, that
            a resample puts into one cluster; nan where no pair was ever drawn.
        resamples: how many bootstrap resamples were fitted.
        users: how many users they were drawn from.
    """

    resampled: float
    resampled_interval: tuple[float, float]
    reseeded: float | None
    jaccard: list[float | None]
    together: np.ndarray
    resamples: int
    users: int

    def readings(self) -> list[str]:
        """What the Jaccard coefficient of each cluster says, in a word."""
        return [reading(value) for value in self.jaccard]


def reading(jaccard: float | None) -> str:
    """Hennig's word for a mean Jaccard coefficient.

    Example:
        >>> reading(0.8)
        'stable'
    """
    if jaccard is None:
        return "not measured"
    return next((word for bound, word in READINGS if jaccard >= bound), DISSOLVED)


def measure_stability(
    points: np.ndarray, labels: np.ndarray, algorithm: ClusteringAlgorithm, k: int, seed: int
) -> Stability | None:
    """Fits resamples and other seeds and compares them with a clustering.

    Args:
        points: float32 [n, dim]; at most 2 000 of them, drawn at random, are looked at.
        labels: int64 [n] in [-1, k), the clustering. Its noise is compared like a cluster in the
            Rand index and left out of the rest.
        algorithm: what gave the clustering.
        k: the number of clusters, at least 2.
        seed: decides the resamples.

    Returns:
        The stability over 20 resamples and 5 seeds; None where no resample has k distinct points.
    """
    rng = np.random.default_rng(seed)
    size = min(len(points), _MOST_POINTS)
    base = np.sort(rng.choice(len(points), size, replace=False))
    shown, known = points[base], labels[base]
    if count_distinct(shown, k + 1) < k:
        return None
    indices, overlaps, together = [], [], []
    for number in range(_RESAMPLES):
        drawn = np.sort(rng.integers(0, size, size))
        if count_distinct(shown[drawn], k + 1) < k:
            continue
        found = algorithm.fit(shown[drawn], k, seed + 1 + number).labels
        users, first = np.unique(drawn, return_index=True)
        own, other = known[users], found[first]
        indices.append(adjusted_rand_score(own, other))
        table = _contingency(own, other, k)
        own_sizes = np.array(sizes_of(own, k), dtype=np.float64)
        other_sizes = np.array(sizes_of(other, table.shape[1]), dtype=np.float64)
        overlaps.append(_largest_jaccard(table, own_sizes, other_sizes))
        together.append(_pairs_together(table, own_sizes))
    if not indices:
        return None
    low, high = np.percentile(indices, [2.5, 97.5])
    seeds = [
        adjusted_rand_score(known, algorithm.fit(shown, k, seed + 1 + number).labels)
        for number in range(_SEEDS)
    ]
    means = _mean_of_known(np.array(overlaps))
    return Stability(
        resampled=float(np.mean(indices)),
        resampled_interval=(float(low), float(high)),
        reseeded=float(np.mean(seeds)),
        jaccard=[None if np.isnan(value) else float(value) for value in means],
        together=_mean_of_known(np.array(together)),
        resamples=len(indices),
        users=size,
    )


def _contingency(own: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """float64 [k, K']: users by their cluster in both clusterings, noise left out."""
    wide = max(int(other.max(initial=-1)) + 1, 1)
    kept = (own >= 0) & (other >= 0)
    cells = np.bincount(own[kept] * wide + other[kept], minlength=k * wide)
    return cells.reshape(k, wide).astype(np.float64)


def _largest_jaccard(
    table: np.ndarray, own_sizes: np.ndarray, other_sizes: np.ndarray
) -> np.ndarray:
    """float64 [k]: |A and B| / |A or B| of each cluster with the most similar other one."""
    union = own_sizes[:, np.newaxis] + other_sizes - table
    values = np.divide(table, union, out=np.zeros_like(table), where=union > 0).max(axis=1)
    return np.where(own_sizes > 0, values, np.nan)


def _pairs_together(table: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """float64 [k, k]: share of pairs of two users that are in one cluster of the resample."""
    pairs = np.outer(sizes, sizes)
    joined = table @ table.T
    # Within a cluster a user is no pair with itself.
    diagonal = np.diag_indices(len(sizes))
    pairs[diagonal] = sizes * (sizes - 1)
    joined[diagonal] -= table.sum(axis=1)
    return np.divide(joined, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is not nan; nan where nothing is known."""
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
