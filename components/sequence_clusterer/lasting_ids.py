"""Numbers that last: which cluster of this run continues which one of the last, and in words.

Users tell who is who: the assignment of new to old clusters with the largest overlap of users
(Jaccard coefficient) is taken, by the Hungarian algorithm (Kuhn 1955). A cluster may continue an
old one of whose known users it has a quarter at least, or one that it comes from: it started from
its centroid, took it in, or is a part of it. Where users say nothing, the nearest centroid of those
that it comes from decides. The place alone would not do: where a new crowd of users pulls an old
centroid over, the old users must keep their number and the crowd get a new one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.pairwise import euclidean_distances

from components.sequence_clusterer.drift import SPLIT_OVERLAP, flow_matrix

_MOSTLY = 0.5
# Small enough to decide only between equal overlaps.
_WEIGHT_OF_DISTANCE = 1e-6


@dataclasses.dataclass(frozen=True)
class KnownClusters:
    """The clusters of the last run.

    Attributes:
        centroids: float32 [K, dim], in the space of the new points.
        ids: int64 [K], the clusters' lasting numbers, each once.
        separated: bool [K, K], pairs that had a valley of low density between them.
        next_id: a number above every one that was ever given.
    """

    centroids: np.ndarray
    ids: np.ndarray
    separated: np.ndarray
    next_id: int

    def carried_over(self, points: np.ndarray, old_labels: np.ndarray) -> KnownClusters:
        """The same clusters where their users are now, for an encoder that was trained anew.

        Another encoder means another space, in which the old centroids say nothing; the users of a
        cluster still do.

        Args:
            points: float32 [n, dim] of the new encoder.
            old_labels: int64 [n], each user's index into `ids` in the last run, -1 for a new one.

        Returns:
            The clusters with the means of their users as centroids; those without one of the users
            are left out, and `old_labels` must be renumbered by the `ids` that are left.
        """
        left = np.unique(old_labels[old_labels >= 0])
        centroids = [points[old_labels == cluster].mean(axis=0) for cluster in left]
        return KnownClusters(
            np.array(centroids, dtype=np.float32).reshape(len(left), points.shape[1]),
            self.ids[left],
            self.separated[np.ix_(left, left)],
            self.next_id,
        )


@dataclasses.dataclass(frozen=True)
class Change:
    """One thing that happened to a cluster.

    Attributes:
        kind: "kept", "retired", "merged", "split off" or "created".
        cluster: the lasting number of the cluster that it happened to.
        others: numbers of the clusters that it was merged with or split off from.
        words: the same as a sentence.
    """

    kind: str
    cluster: int
    others: list[int]
    words: str


def match_clusters(
    known: KnownClusters,
    centroids: np.ndarray,
    parents: Sequence[frozenset[int]],
    old_labels: np.ndarray,
    labels: np.ndarray,
) -> dict[int, int]:
    """Which new cluster continues which old one, one to one.

    Args:
        known: the last run's clusters.
        centroids: float32 [K', dim], this run's.
        parents: of each new cluster, the indices of the old ones that it comes from.
        old_labels: int64 [n] in [-1, K), users' old clusters; -1 is a user who was not there.
        labels: int64 [n] in [-1, K'), their new ones.

    Returns:
        New index to old index, of those that continue one.
    """
    k_old, k_new = len(known.ids), len(centroids)
    shared = _shared_users(old_labels, labels, k_old, k_new)
    of_old = np.bincount(old_labels[old_labels >= 0], minlength=k_old)[:, np.newaxis]
    of_new = shared.sum(axis=0)
    distances = euclidean_distances(known.centroids, centroids, squared=True)
    nearness = 1.0 - distances / max(float(distances.max()), 1e-12)
    score = shared / np.maximum(of_old + of_new - shared, 1) + _WEIGHT_OF_DISTANCE * nearness
    related = np.array([[old in new for new in parents] for old in range(k_old)])
    allowed = related | (shared >= SPLIT_OVERLAP * np.maximum(of_old, 1))
    rows, columns = linear_sum_assignment(np.where(allowed, score, -1.0), maximize=True)
    pairs = zip(columns.tolist(), rows.tolist(), strict=True)
    return {new: old for new, old in pairs if allowed[old, new]}


def changes_in_words(
    parents: Sequence[frozenset[int]],
    ids: np.ndarray,
    known: KnownClusters,
    old_labels: np.ndarray,
    labels: np.ndarray,
) -> list[Change]:
    """What happened to each old and each new cluster, those that go on first.

    Args:
        parents: of each new cluster, the indices of the old ones that it comes from.
        ids: int64 [K'], the new clusters' lasting numbers.
        known: the last run's clusters.
        old_labels: int64 [n] in [-1, K), users' old clusters; -1 is a user who was not there.
        labels: int64 [n] in [0, K'), their new ones.
    """
    shared = _shared_users(old_labels, labels, len(known.ids), len(parents))
    numbers = known.ids.tolist()
    taken_in: dict[int, list[int]] = {}
    retired = []
    for old, number in enumerate(numbers):
        if number not in ids:
            new = _went_to(old, shared, parents)
            if new is not None and ids[new] in numbers:
                taken_in.setdefault(new, []).append(number)
            else:
                retired.append(number)
    kept, rest = [], []
    for new, number in enumerate(ids.tolist()):
        users = int((labels == new).sum())
        if number in numbers and new in taken_in:
            words = f"Cluster {number} ({users} users) took in {_numbers(taken_in[new])}."
            rest.append(Change("merged", number, taken_in[new], words))
        elif number in numbers:
            words = f"Cluster {number} goes on with {users} users."
            kept.append(Change("kept", number, [], words))
        elif (old_labels >= 0).any() and shared[:, new].sum() < _MOSTLY * users:
            share = 1.0 - shared[:, new].sum() / users
            words = f"Cluster {number} is new: {share:.0%} of its {users} users are."
            rest.append(Change("created", number, [], words))
        else:
            source = int(shared[:, new].argmax()) if shared[:, new].any() else min(parents[new])
            words = f"Cluster {number} ({users} users) split off from cluster {numbers[source]}."
            rest.append(Change("split off", number, [numbers[source]], words))
    for number in retired:
        words = f"Cluster {number} was retired: nothing that continues it has enough users."
        rest.append(Change("retired", number, [], words))
    return kept + rest


def _shared_users(old_labels: np.ndarray, labels: np.ndarray, k_old: int, k_new: int) -> np.ndarray:
    """Known users by old and new cluster, int64 [k_old, k_new]."""
    seen = old_labels >= 0
    return flow_matrix(old_labels[seen], labels[seen], k_old, k_new)[:k_old, :k_new]


def _went_to(old: int, shared: np.ndarray, parents: Sequence[frozenset[int]]) -> int | None:
    """The new cluster that an old one was merged into: most of its known users are there.

    Where none of its users is known, the cluster that took in its centroid with others.
    """
    if shared[old].any():
        new = int(shared[old].argmax())
        return new if shared[old, new] > _MOSTLY * shared[old].sum() else None
    return next((new for new, come in enumerate(parents) if old in come and len(come) > 1), None)


def _numbers(clusters: list[int]) -> str:
    """Clusters in a sentence: "cluster 3", "clusters 1, 2"."""
    name = "cluster" if len(clusters) == 1 else "clusters"
    return f"{name} {', '.join(str(cluster) for cluster in clusters)}"
