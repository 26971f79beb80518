"""Algorithms that look for dense regions: they find how many there are, and leave noise."""

from __future__ import annotations

import numpy as np
from sklearn import cluster, neighbors

from components.sequence_clusterer.algorithms.clustering import (
    Clustering,
    ClusteringAlgorithm,
    one_cluster,
)
from components.sequence_clusterer.algorithms.prototypes import (
    MOST_PROTOTYPES,
    compressed,
    rule_with_radii,
    separating_radii,
)
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.raw_history import NOISE

_NOTHING_DENSE = "found no region denser than the rest, so that all users are one cluster"
# Trees of neighbours are of no use in more dimensions than this.
_TREE_DIMENSIONS = 16


class Dbscan(ClusteringAlgorithm):
    """Regions where points have `min_samples` others within eps (Ester et al. 1996).

    Fitted on at most `pairwise_sample` points: at worst, where all are neighbours, that takes 27 n²
    bytes (measured: 660 MB for 5,000). The rule is DBSCAN's own: the nearest core point within
    eps. More than `MOST_PROTOTYPES` core points are replaced by so many centres of every second
    one, with fitted radii.
    """

    title = "DBSCAN"

    finds_k = True

    def _fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        sample = self._pairwise_sample(points, seed)
        eps, least = self.config.eps, self.config.min_samples
        if eps == "auto":
            eps = eps_at_knee(sample, least)
        model = cluster.DBSCAN(eps=eps, min_samples=least).fit(sample)
        labels, found = keep_largest(model.labels_, k)
        if not found:
            return one_cluster(points, NOISE, f"DBSCAN with eps={eps:.4g} {_NOTHING_DENSE}")
        core = np.zeros(len(sample), bool)
        core[model.core_sample_indices_] = True
        core &= labels != NOISE
        if core.sum() <= MOST_PROTOTYPES:
            groups = [sample[core & (labels == i)] for i in range(labels.max() + 1)]
            rule = rule_with_radii(groups, np.full(len(groups), eps))
        else:
            rule = _fitted_rule(sample, np.where(core, labels, NOISE), labels, seed)
        note = f"eps={eps:.4g}"
        if found > rule.clusters:
            note += f"; {_kept(rule.clusters, found)}"
        return Clustering.of(points, rule, sample, labels, note=note)


class Hdbscan(ClusteringAlgorithm):
    """The most persistent regions over all densities (Campello et al. 2013).

    Fitted on at most `pairwise_sample` points; in more than 16 dimensions their distances are held
    as matrices, 16 n² bytes at the peak (measured: 400 MB for 5,000). The rule is the
    nearest of at most `MOST_PROTOTYPES` centres of every second member, within a fitted radius a
    cluster.
    """

    title = "HDBSCAN"

    finds_k = True

    def _fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        sample = self._pairwise_sample(points, seed)
        smallest = self.config.min_cluster_size or max(2, self.config.min_cluster_users)
        labels, found = np.full(len(sample), NOISE), 0
        if len(sample) > smallest:
            model = cluster.HDBSCAN(
                min_cluster_size=smallest,
                min_samples=min(self.config.min_samples, len(sample)),
                algorithm="auto" if points.shape[1] <= _TREE_DIMENSIONS else "brute",
            )
            labels, found = keep_largest(model.fit_predict(sample), k)
        if not found:
            return one_cluster(points, NOISE, f"HDBSCAN {_NOTHING_DENSE}")
        rule = _fitted_rule(sample, labels, labels, seed)
        note = _kept(rule.clusters, found) if found > rule.clusters else ""
        return Clustering.of(points, rule, sample, labels, note=note)


def eps_at_knee(points: np.ndarray, min_samples: int) -> float:
    """Eps from the k-distance curve: where the sorted distances bend most (Ester et al., 4.2).

    The distances to the `min_samples`-th point, the point itself counted, are sorted; eps is the
    one furthest below the chord from the first to the last, both axes scaled to [0, 1]
    (kneedle, Satopää et al. 2011).

    Args:
        points: float32 [n, dim], n >= 2.
        min_samples: of DBSCAN.

    Returns:
        Above zero, also where points coincide.
    """
    count = min(min_samples, len(points))
    search = neighbors.NearestNeighbors(n_neighbors=count).fit(points)
    curve = np.sort(search.kneighbors(points)[0][:, -1])
    rise = curve[-1] - curve[0]
    knee = curve[-1]
    if rise > 0:
        below = np.linspace(0.0, 1.0, len(curve)) - (curve - curve[0]) / rise
        knee = curve[int(np.argmax(below))]
    return max(float(knee), float(np.finfo(np.float32).eps))


def keep_largest(labels: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """The largest clusters, numbered anew; the others become noise.

    Args:
        labels: int [n], cluster or below zero for noise.
        most: how many clusters are kept.

    Returns:
        int64 [n] labels, and how many clusters there were.
    """
    sizes = np.bincount(labels[labels >= 0])
    kept = np.argsort(-sizes, kind="stable")[:most]
    number = np.full(len(sizes) + 1, NOISE, np.int64)  # the last place is that of noise, -1
    number[kept] = np.arange(len(kept))
    return number[np.maximum(labels, NOISE)], len(sizes)


def _fitted_rule(
    points: np.ndarray, members: np.ndarray, labels: np.ndarray, seed: int
) -> NearestPrototype:
    """Prototypes from every second member of each cluster, radii that take in the others.

    A point is at no distance from a prototype that it is itself: with all members as prototypes
    the radii would be nothing, and nobody else would belong to a cluster.

    Args:
        points: float32 [n, dim].
        members: int64 [n], the cluster that a point may be a prototype of; -1 for none.
        labels: int64 [n], cluster or -1.
        seed: of the prototypes.
    """
    halves = [points[members == k][::2] for k in range(labels.max() + 1)]
    total, spare = sum(map(len, halves)), MOST_PROTOTYPES - len(halves)
    groups = [compressed(half, 1 + spare * len(half) // total, seed) for half in halves]
    return rule_with_radii(groups, separating_radii(groups, points, labels))


def _kept(kept: int, found: int) -> str:
    return f"of {found} clusters the {kept} largest are kept"
