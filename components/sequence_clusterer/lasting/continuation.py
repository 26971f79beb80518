"""Whether this run's clusters go on from the last run's, and who is who.

Users are what two runs have in common; embeddings of different encoders are not. So the old
clusters are found in the new space by the users that both runs know:

- *Continued*: each old cluster starts at the mean of its users, then it moves, splits, merges or is
  retired by the rules of `adaptation`. New users go where the new rule sends them.
- *Matched*: clusters are made anew, as if there had been no last run, and take over the lasting
  numbers of those whose users they have (`lasting_ids`). So it is where continuing would not be
  what was asked for: other clustering settings than the last run's, an algorithm without centroids,
  more clusters than there may be; or where the old clusters are not found again in the new space.
- *Afresh*: fewer than five common users for each old cluster tell nothing. Clusters are made anew
  and get numbers that no cluster had before.

"Found again" is measured by cross-fitting: each half of the common users is assigned to the nearest
mean of the other half's old clusters, and the adjusted Rand index of these labels with the old ones
(Hubert and Arabie 1985) must reach .1. Without it, k-means would start from arbitrary places, and
numbers would go on that mean nobody in particular.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances

from components.sequence_clusterer.algorithms import ALGORITHMS, Clustering, make_algorithm
from components.sequence_clusterer.choice.candidates import measure_clustering
from components.sequence_clusterer.choice.selection import Selection
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.evaluation_record import ChosenAnew, ClusterChange
from components.sequence_clusterer.lasting.adaptation import adapt_clusters
from components.sequence_clusterer.lasting.continued_clusters import Continuation
from components.sequence_clusterer.lasting.drift import flow_matrix
from components.sequence_clusterer.lasting.last_clusters import LastClusters, clustering_settings
from components.sequence_clusterer.lasting.lasting_ids import (
    KnownClusters,
    describe_changes,
    match_clusters,
    number_clusters,
    retire,
)
from trainer.clusters.nearest_prototype import NearestPrototype

FEWEST_COMMON_USERS = 5
"""Users in both runs, for each of the last run's clusters, below which these are not looked for."""
LEAST_FOUND_AGAIN = 0.1
"""Adjusted Rand index below which the old clusters are not in the new space."""


def continue_clusters(
    points: np.ndarray,
    user_ids: pa.Array,
    selection: Selection,
    last: LastClusters | None,
    config: ClusteringConfig,
    max_clusters: int,
) -> Continuation:
    """Goes on from the last run's clusters where that can be done.

    Args:
        points: float32 [n, dim], preprocessed embeddings of this run's sample.
        user_ids: str [n], whose they are.
        selection: the clusters chosen without regard to the last run.
        last: those of the last run; None if there are none.
        config: the settings of this run.
        max_clusters: there will be no more than this.
    """
    k = selection.clustering.k
    if last is None:
        return Continuation(selection, np.arange(k), k, "first")
    old = last.labels_of(user_ids)
    common = int((old >= 0).sum())
    if common < FEWEST_COMMON_USERS * last.clusters:
        reason = (
            f"The clusters start afresh: {common} of the {len(points)} users are known from the "
            f"last run's {last.clusters} clusters, fewer than {FEWEST_COMMON_USERS} for each."
        )
        ids = last.next_id + np.arange(k)
        return Continuation(selection, ids, last.next_id + k, "afresh", reason, last, common)
    known, labels = KnownClusters.carried_over(points, old, last.ids, last.separated, last.next_id)
    found_again = _found_again(points, old, config.seed)
    obstacle = _obstacle(last, known, found_again, config, max_clusters)
    if obstacle:
        result = _match(points, selection, known, labels, config)
        start = f"The clusters are made anew, because {obstacle}. They keep the numbers of those"
        reason = f"{start} of the last run whose users they have ({common} common users)."
    else:
        result = _continue(points, selection, last, known, labels, config, max_clusters)
        reason = (
            f"The last run's {last.clusters} clusters go on, found again by {common} common users "
            f"(adjusted Rand index {found_again:.2f}): {_counted(result.changes)}."
        )
    unknown = set(last.ids.tolist()) - set(known.ids.tolist())
    new = result.selection.clustering.labels
    return dataclasses.replace(
        result,
        reason=reason,
        last=last,
        common=common,
        found_again=found_again,
        changes=[*result.changes, *(retire(number, 0) for number in sorted(unknown))],
        flows=flow_matrix(old, new, last.clusters, len(result.ids))[:-1, :-1],
        new_users=np.bincount(new[(old < 0) & (new >= 0)], minlength=len(result.ids)),
    )


def _found_again(points: np.ndarray, old: np.ndarray, seed: int) -> float:
    """How well each half of the common users tells the other half's old clusters."""
    users = np.random.default_rng(seed).permutation(np.flatnonzero(old >= 0))
    halves = [users[::2], users[1::2]]
    told = []
    for half, other in (halves, halves[::-1]):
        clusters = np.unique(old[other])
        means = np.stack([points[other[old[other] == k]].mean(axis=0) for k in clusters])
        told.append(clusters[euclidean_distances(points[half], means).argmin(axis=1)])
    return float(adjusted_rand_score(old[np.concatenate(halves)], np.concatenate(told)))


def _obstacle(
    last: LastClusters,
    known: KnownClusters,
    found_again: float,
    config: ClusteringConfig,
    max_clusters: int,
) -> str:
    """Why the last run's clusters cannot be continued; "" if they can."""
    settings = clustering_settings(config)
    changed = [name for name in settings if settings[name] != last.settings.get(name)]
    if changed:
        return f"these settings were others: {', '.join(f'clustering.{name}' for name in changed)}"
    if not ALGORITHMS[last.algorithm].has_centroids:
        return f"{last.algorithm} cannot start from given centroids"
    if len(known.ids) > max_clusters:
        return f"there were {len(known.ids)}, more than run.max_clusters={max_clusters}"
    if config.k is not None and len(known.ids) != config.k:
        return f"clustering.k is {config.k} and users of {len(known.ids)} clusters came back"
    if found_again < LEAST_FOUND_AGAIN:
        return (
            "users of one old cluster do not lie together in the new embeddings (adjusted Rand "
            f"index {found_again:.2f}, less than {LEAST_FOUND_AGAIN})"
        )
    return ""


def _continue(
    points: np.ndarray,
    selection: Selection,
    last: LastClusters,
    known: KnownClusters,
    labels: np.ndarray,
    config: ClusteringConfig,
    max_clusters: int,
) -> Continuation:
    """The old clusters, adapted to the new points; `last` and the flows are still to be added."""
    adapted = adapt_clusters(
        points,
        known,
        make_algorithm(config.updated({"algorithm": last.algorithm, "k": None})),
        fewest_users=config.min_cluster_users,
        max_clusters=max_clusters,
        seed=config.seed,
        old_labels=labels,
        fixed_k=config.k is not None,
    )
    rule = NearestPrototype.fitted(list(adapted.centroids[:, None, :]), points)
    clustering = Clustering.numbered_as(points, rule)
    candidate = measure_clustering(points, last.algorithm, clustering, config)
    fresh = selection.decision
    return Continuation(
        selection.continued_by(candidate, last.clusters),
        adapted.ids,
        adapted.next_id,
        "continued",
        changes=adapted.changes,
        anew=ChosenAnew(
            k=fresh.candidate.k,
            algorithm=fresh.candidate.algorithm,
            clusters_found=fresh.clusters_found,
            reason=selection.reason,
            ari=adjusted_rand_score(fresh.candidate.clustering.labels, clustering.labels),
        ),
    )


def _match(
    points: np.ndarray,
    selection: Selection,
    known: KnownClusters,
    labels: np.ndarray,
    config: ClusteringConfig,
) -> Continuation:
    """The run's own clusters in the order of the lasting numbers that their users give them."""
    clustering = selection.clustering
    strangers = [frozenset[int]()] * clustering.k
    continued = match_clusters(known, clustering.centroids, strangers, labels, clustering.labels)
    ids, next_id = number_clusters(known, continued, clustering.k)
    order = np.argsort(ids)
    if (np.diff(ids) < 0).any():
        rule = clustering.rule.reordered(order.tolist())
        clustering = Clustering.numbered_as(
            points, rule, clustering.rule_agreement, clustering.bic, clustering.note
        )
        selection = selection.renumbered(
            measure_clustering(points, selection.algorithm, clustering, config)
        )
    changes = describe_changes(strangers, ids[order], known, labels, clustering.labels)
    return Continuation(selection, ids[order], next_id, "matched", changes=changes)


def _counted(changes: list[ClusterChange]) -> str:
    """How often what happened: "2 kept, 1 split off"."""
    counts = Counter(change.kind for change in changes)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())
