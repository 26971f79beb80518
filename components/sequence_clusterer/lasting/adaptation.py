"""Adaptive clustering: the clusters of a new run continue those of the last one.

A run that clustered anew would number its clusters anew, and every specialist, report and rule that
speaks of "cluster 3" would mean somebody else. `adapt_clusters` starts from the last run's
centroids instead and changes as little as the data asks for, in this order:

1. *Move.* Lloyd's k-means from the old centroids.
2. *Retire.* While a cluster has fewer users than `fewest_users`, the smallest one goes, and its
   users to the nearest of the others.
3. *Merge.* Two clusters that were separated by a valley of low density in the last run and are not
   any more (the density between them is nowhere below that at the thinner end) become one. Clusters
   that never were separated, parts of a continuum, are not merged.
4. *Split.* A cluster whose own two halves (k-means with k = 2) are separated by a valley at the 5 %
   level, shared among all clusters, becomes two, both of at least `fewest_users`. The rule never
   cuts a continuum. Splits are repeated until none is left or there are `max_clusters`.

Where the number of clusters is set, they only move. Then every new cluster gets a number
(`lasting_ids`). Which runs' clusters are continued at all is decided in `continuation`.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from sklearn.cluster import KMeans as LloydKMeans
from sklearn.metrics.pairwise import euclidean_distances

from components.sequence_clusterer.algorithms import ClusteringAlgorithm
from components.sequence_clusterer.choice.internal_measures import count_distinct, sizes_of
from components.sequence_clusterer.choice.separation import measure_separation
from components.sequence_clusterer.evaluation_record import ClusterChange
from components.sequence_clusterer.lasting.lasting_ids import (
    KnownClusters,
    describe_changes,
    match_clusters,
    number_clusters,
)

_LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class AdaptedClusters:
    """The clusters of this run.

    Attributes:
        centroids: float32 [K', dim], in the order of `ids`.
        ids: int64 [K'] lasting numbers, rising.
        labels: int64 [n] in [0, K'), an index into `ids`.
        changes: what happened, kept clusters first.
        next_id: a number above every one that was ever given.
    """

    centroids: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    changes: list[ClusterChange]
    next_id: int


@dataclasses.dataclass
class _Cluster:
    """A cluster on its way: where it is, and which old ones (indices) it comes from."""

    centroid: np.ndarray
    parents: frozenset[int]


def adapt_clusters(
    points: np.ndarray,
    known: KnownClusters,
    algorithm: ClusteringAlgorithm,
    *,
    fewest_users: int,
    max_clusters: int,
    seed: int,
    old_labels: np.ndarray | None = None,
    fixed_k: bool = False,
) -> AdaptedClusters:
    """Continues the clusters of the last run on new points.

    Args:
        points: float32 [n, dim], preprocessed as the last run's.
        known: the last run's clusters, at most `max_clusters`.
        algorithm: fits two halves where a split is considered; gives centroids.
        fewest_users: a cluster with fewer of the points is retired.
        max_clusters: there will be no more than this.
        seed: decides starts and samples.
        old_labels: int64 [n], each user's index into `known.ids` in the last run, -1 for a new
            user; None if unknown for all.
        fixed_k: clusters move, and none is merged, split or, unless empty, retired.

    Raises:
        ValueError: the points are of another dimension than the centroids, there is none, or
            there are more known clusters than `max_clusters`.
    """
    if not len(points) or points.shape[1] != known.centroids.shape[1]:
        raise ValueError(
            f"the points {points.shape} do not fit the last run's centroids "
            f"{known.centroids.shape}: the encoder's width must be the same"
        )
    if len(known.ids) > max_clusters:
        raise ValueError(
            f"the last run had {len(known.ids)} clusters, more than max_clusters={max_clusters}"
        )
    if old_labels is None:
        old_labels = np.full(len(points), -1, dtype=np.int64)
    clusters = [_Cluster(c, frozenset([i])) for i, c in enumerate(known.centroids)]
    clusters, labels = _settle(points, clusters)
    clusters, labels = _retire(points, clusters, labels, 1 if fixed_k else fewest_users)
    if not fixed_k:
        clusters, labels = _merge(points, clusters, labels, known, seed)
        clusters, labels = _split(
            points, clusters, labels, algorithm, fewest_users, max_clusters, seed
        )
    centroids = np.stack([cluster.centroid for cluster in clusters]).astype(np.float32)
    parents = [cluster.parents for cluster in clusters]
    continued = match_clusters(known, centroids, parents, old_labels, labels)
    ids, next_id = number_clusters(known, continued, len(clusters))
    order = np.argsort(ids)
    labels = np.argsort(order)[labels]
    changes = describe_changes([parents[i] for i in order], ids[order], known, old_labels, labels)
    return AdaptedClusters(centroids[order], ids[order], labels, changes, next_id)


def _settle(points: np.ndarray, clusters: list[_Cluster]) -> tuple[list[_Cluster], np.ndarray]:
    """Lloyd's k-means from where the clusters are."""
    k = len(clusters)
    start = np.stack([cluster.centroid for cluster in clusters]).astype(np.float32)
    if count_distinct(points, k) < k:
        # Fewer distinct points than clusters: they go to the nearest, none moves.
        return clusters, euclidean_distances(points, start, squared=True).argmin(axis=1)
    model = LloydKMeans(n_clusters=k, init=start, n_init=1).fit(points)
    moved = [
        _Cluster(centroid.astype(np.float32), cluster.parents)
        for centroid, cluster in zip(model.cluster_centers_, clusters, strict=True)
    ]
    return moved, model.labels_.astype(np.int64)


def _retire(
    points: np.ndarray, clusters: list[_Cluster], labels: np.ndarray, fewest_users: int
) -> tuple[list[_Cluster], np.ndarray]:
    """Takes out the smallest cluster as long as it is too small; the last one stays."""
    while len(clusters) > 1:
        sizes = np.bincount(labels, minlength=len(clusters))
        smallest = int(sizes.argmin())
        if sizes[smallest] >= fewest_users:
            break
        clusters, labels = _settle(points, clusters[:smallest] + clusters[smallest + 1 :])
    return clusters, labels


def _merge(
    points: np.ndarray,
    clusters: list[_Cluster],
    labels: np.ndarray,
    known: KnownClusters,
    seed: int,
) -> tuple[list[_Cluster], np.ndarray]:
    """Joins pairs between which the valley of the last run is gone, one at a time.

    Each half's centroids start from those of all points, so that they are the same clusters. That
    makes a valley look deeper than it is (rule 1 of `choice.separation`): a pair may be kept for
    it, never joined. Fits that start anew miss a cluster now and then, which would join two others
    for good. What is said of the clusters in the end is measured by fits of that kind.
    """
    while len(clusters) > 1:
        start = clusters

        def fit(half: np.ndarray, start: list[_Cluster] = start) -> np.ndarray:
            return np.stack([cluster.centroid for cluster in _settle(half, start)[0]])

        centroids = np.stack([cluster.centroid for cluster in clusters])
        separation = measure_separation(points, fit, centroids, seed)
        if separation is None:
            break
        were = np.array(
            [
                [
                    known.separated[np.ix_(list(one.parents), list(two.parents))].any()
                    for two in clusters
                ]
                for one in clusters
            ]
        )
        gone = np.where(were, np.triu(separation.ratios, 1), 0.0)
        i, j = (int(index) for index in np.unravel_index(gone.argmax(), gone.shape))
        if gone[i, j] < 1.0:
            break
        centroid = points[(labels == i) | (labels == j)].mean(axis=0)
        joined = _Cluster(centroid, clusters[i].parents | clusters[j].parents)
        rest = [cluster for index, cluster in enumerate(clusters) if index not in (i, j)]
        clusters, labels = _settle(points, [*rest, joined])
    return clusters, labels


def _split(
    points: np.ndarray,
    clusters: list[_Cluster],
    labels: np.ndarray,
    algorithm: ClusteringAlgorithm,
    fewest_users: int,
    max_clusters: int,
    seed: int,
) -> tuple[list[_Cluster], np.ndarray]:
    """Cuts clusters that have a valley of low density inside, one at a time."""
    index = 0
    while index < len(clusters) and len(clusters) < max_clusters:
        own = points[labels == index]
        parts = _two_parts(own, algorithm, fewest_users, _LEVEL / len(clusters), seed)
        if parts is None:
            index += 1
            continue
        parents = clusters[index].parents
        split = [_Cluster(centroid, parents) for centroid in parts]
        clusters, labels = _settle(points, clusters[:index] + split + clusters[index + 1 :])
        index = 0
    return clusters, labels


def _two_parts(
    own: np.ndarray, algorithm: ClusteringAlgorithm, fewest_users: int, level: float, seed: int
) -> np.ndarray | None:
    """Centroids of the two parts of a cluster, None if it is one piece."""
    if count_distinct(own, 2) < 2:
        return None
    halved = algorithm.fit(own, 2, seed)
    if len(halved.centroids) != 2 or min(sizes_of(halved.labels, 2)) < max(fewest_users, 1):
        return None

    def fit(half: np.ndarray) -> np.ndarray:
        return algorithm.fit(half, 2, seed).centroids

    separation = measure_separation(own, fit, halved.centroids, seed)
    if separation is None or separation.groups(level) < 2:
        return None
    return halved.centroids
