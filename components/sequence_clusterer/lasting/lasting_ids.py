"""Numbers that last: which cluster of this run continues which one of the last, and in words.

A cluster has two numbers. Its *index*, from 0 up to K - 1, says where it stands in the arrays of
one run and in the served model. Its *lasting number* ("no. 5") is the same from run to run and
never given again: indices shift when a cluster is retired, lasting numbers do not.

Users tell who is who: the assignment of new to old clusters with the largest overlap of users
(Jaccard coefficient) is taken, by the Hungarian algorithm (Kuhn 1955). A cluster may continue an
old one of whose known users it has a quarter at least, or one that it comes from: it started from
its centroid, took it in, or is a part of it. Where users say nothing, the nearest centroid of those
that it comes from decides. The place alone would not do: where a new crowd of users pulls an old
centroid over, the old users must keep their number and the crowd get a new one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.pairwise import euclidean_distances

from components.sequence_clusterer.evaluation_record import ClusterChange
from components.sequence_clusterer.lasting.drift import SPLIT_OVERLAP, flow_matrix

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

    @classmethod
    def carried_over(
        cls,
        points: np.ndarray,
        old_labels: np.ndarray,
        ids: np.ndarray,
        separated: np.ndarray,
        next_id: int,
    ) -> tuple[KnownClusters, np.ndarray]:
        """The last run's clusters where their users are now, for an encoder that was trained anew.

        Another encoder means another space, in which the old centroids say nothing; the users of a
        cluster still do. Their mean is where it is now.

        Args:
            points: float32 [n, dim] of the new encoder.
            old_labels: int64 [n], each user's index into `ids` in the last run, -1 for a new one.
            ids: int64 [K], lasting numbers of the last run's clusters.
            separated: bool [K, K], see the attribute.
            next_id: see the attribute.

        Returns:
            The clusters that have one of the users at least, and the users' indices into these.
        """
        left = np.unique(old_labels[old_labels >= 0])
        centroids = [points[old_labels == cluster].mean(axis=0) for cluster in left]
        known = cls(
            np.array(centroids, dtype=np.float32).reshape(len(left), points.shape[1]),
            ids[left],
            separated[np.ix_(left, left)],
            next_id,
        )
        return known, np.where(old_labels >= 0, np.searchsorted(left, old_labels), -1)


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


def number_clusters(
    known: KnownClusters, continued: Mapping[int, int], clusters: int
) -> tuple[np.ndarray, int]:
    """Lasting numbers, int64 [K'], of this run's clusters, and the first that is free after them.

    Args:
        known: the last run's clusters.
        continued: new index to old index, from `match_clusters`.
        clusters: K'.
    """
    ids, next_id = np.zeros(clusters, dtype=np.int64), known.next_id
    for index in range(clusters):
        if index in continued:
            ids[index] = known.ids[continued[index]]
        else:
            ids[index], next_id = next_id, next_id + 1
    return ids, next_id


def describe_changes(
    parents: Sequence[frozenset[int]],
    ids: np.ndarray,
    known: KnownClusters,
    old_labels: np.ndarray,
    labels: np.ndarray,
) -> list[ClusterChange]:
    """What happened to each old and each new cluster, those that go on first.

    Args:
        parents: of each new cluster, the indices of the old ones that it comes from.
        ids: int64 [K'], the new clusters' lasting numbers, rising.
        known: the last run's clusters.
        old_labels: int64 [n] in [-1, K), users' old clusters; -1 is a user who was not there.
        labels: int64 [n] in [-1, K'), their new ones.
    """
    shared = _shared_users(old_labels, labels, len(known.ids), len(parents))
    of_old = np.bincount(old_labels[old_labels >= 0], minlength=len(known.ids))
    place = {number: old for old, number in enumerate(known.ids.tolist())}
    numbers = ids.tolist()
    taken_in: dict[int, list[int]] = {}
    retired = []
    for number, old in place.items():
        if number not in numbers:
            new = _went_to(old, shared, parents)
            if new is not None and numbers[new] in place:
                taken_in.setdefault(new, []).append(number)
            else:
                retired.append(number)
    kept: list[ClusterChange] = []
    rest: list[ClusterChange] = []
    for new, number in enumerate(numbers):
        users, known_users = int((labels == new).sum()), int(shared[:, new].sum())
        before, stayed = 0, 0
        others: list[int] = []
        if number in place:
            before, stayed = int(of_old[place[number]]), int(shared[place[number], new])
            others = taken_in.get(new, [])
            kind = "merged" if others else "kept"
            words = f"No. {number} goes on as cluster {new} ({users} users)"
            words += f", with {stayed} of its {before} known users" if before else ""
            words += f", and took in {_numbers(others)}." if others else "."
        elif (old_labels >= 0).any() and known_users < _MOSTLY * users:
            kind = "created"
            share = 1.0 - known_users / users
            words = f"No. {number} is new, as cluster {new}: {share:.0%} of its {users} users are."
        else:
            kind = "split off"
            source = int(shared[:, new].argmax()) if known_users else min(parents[new])
            others = [int(known.ids[source])]
            words = f"No. {number} (cluster {new}, {users} users) split off from no. {others[0]}."
        change = ClusterChange(
            kind=kind,
            lasting_id=number,
            cluster=new,
            others=others,
            users=users,
            before=before,
            stayed=stayed,
            words=words,
        )
        (kept if kind == "kept" else rest).append(change)
    return [*kept, *rest, *(retire(n, int(of_old[place[n]])) for n in retired)]


def retire(number: int, before: int) -> ClusterChange:
    """The end of a cluster that `before` users of both runs were in."""
    if before:
        words = f"No. {number} was retired: no cluster continues it."
    else:
        words = f"No. {number} was retired: none of its users is known here."
    return ClusterChange(
        kind="retired",
        lasting_id=number,
        cluster=None,
        others=[],
        users=0,
        before=before,
        stayed=0,
        words=words,
    )


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


def _numbers(numbers: list[int]) -> str:
    """Lasting numbers in a sentence: "no. 3", "no. 1, 2"."""
    return f"no. {', '.join(str(number) for number in numbers)}"
