"""Choice of K: the silhouette decides, the elbow of the inertia stands beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from components.sequence_clusterer.algorithms import Clustering, make_algorithm
from components.sequence_clusterer.config import ClusteringConfig
from trainer.histories import NOISE

_BOOTSTRAP_REPLICATES = 500
# Embeddings closer than this in every coordinate count as the same one.
_DISTINCT_DECIMALS = 5


@dataclasses.dataclass(frozen=True)
class KMeasures:
    """How well k clusters fit.

    Attributes:
        k: the number of clusters.
        silhouette: mean silhouette of the sampled points, but noise; None where it is not defined
            (k = 1, or the sample lies in one cluster).
        silhouette_ci: its 95 % bootstrap interval over points, the clustering held fixed.
        inertia: sum of squared distances to the centroids.
        sizes: points per cluster, not rising; noise is in none.
    """

    k: int
    silhouette: float | None
    silhouette_ci: tuple[float, float] | None
    inertia: float
    sizes: list[int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = dataclasses.asdict(self)
        values["silhouette_ci"] = list(self.silhouette_ci) if self.silhouette_ci else None
        return values


@dataclasses.dataclass(frozen=True)
class Selection:
    """The chosen clustering and why.

    Attributes:
        clustering: the chosen one.
        k_from: "config", "silhouette" or "algorithm".
        reason: for the reader of the report.
        by_k: measures of every k that was tried, from 1 up.
        elbow_k: where the inertia curve bends most.
    """

    clustering: Clustering
    k_from: str
    reason: str
    by_k: list[KMeasures]
    elbow_k: int


def select_clustering(points: np.ndarray, config: ClusteringConfig, max_clusters: int) -> Selection:
    """Fits every admissible K and chooses one.

    Args:
        points: float32 [n, dim] preprocessed embeddings, n >= 1.
        config: `k` set takes K from there (less if there are fewer distinct embeddings).
        max_clusters: no more clusters than this.
    """
    algorithm = make_algorithm(config)
    if algorithm.finds_k:
        return _from_algorithm(points, algorithm.fit(points, max_clusters, config.seed), config)
    distinct = _distinct(points, max_clusters)
    tried = _most_clusters_to_try(len(points), distinct, config, max_clusters)
    fitted = {k: algorithm.fit(points, k, config.seed) for k in range(1, tried + 1)}
    by_k = _measure(points, fitted, config)
    elbow = elbow_k([row.k for row in by_k], [row.inertia for row in by_k])
    if config.k is not None:
        chosen, reason = _from_config(config.k, len(points), distinct)
        k_from = "config"
    else:
        chosen, reason = _from_silhouette(by_k, len(points), distinct, config, max_clusters)
        k_from = "silhouette"
    if chosen > 1:
        reason += f" The elbow of the inertia is at K={elbow}."
    return Selection(fitted[chosen], k_from, reason, by_k, elbow)


def elbow_k(ks: Sequence[int], inertias: Sequence[float]) -> int:
    """The k whose inertia lies furthest below the chord from the first to the last (kneedle).

    Both axes are scaled to [0, 1] first. With fewer than three values there is no bend: the
    last k is returned.
    """
    drop = inertias[0] - inertias[-1]
    if len(ks) < 3 or drop <= 0:
        return ks[-1] if drop > 0 else ks[0]
    x = (np.asarray(ks, dtype=float) - ks[0]) / (ks[-1] - ks[0])
    y = (np.asarray(inertias, dtype=float) - inertias[-1]) / drop
    return int(ks[int(np.argmax(1.0 - x - y))])


def _distinct(points: np.ndarray, max_clusters: int) -> int:
    """The number of distinct points, counted no further than `max_clusters`."""
    rounded = np.round(points, _DISTINCT_DECIMALS)
    rows: set[bytes] = set()
    for row in rounded + 0.0:  # + 0.0 makes -0.0 and 0.0 the same bytes
        rows.add(row.tobytes())
        if len(rows) >= max_clusters:
            break
    return len(rows)


def _most_clusters_to_try(
    users: int, distinct: int, config: ClusteringConfig, max_clusters: int
) -> int:
    """How far the curve over k goes: two users a cluster on average, and K itself if it is set."""
    tried = max(1, min(max_clusters, distinct, users // 2))
    if config.k is not None:
        tried = max(tried, min(config.k, distinct))
    return tried


def _measure(
    points: np.ndarray, fitted: dict[int, Clustering], config: ClusteringConfig
) -> list[KMeasures]:
    """Measures of each clustering, all silhouettes on the same sample of points."""
    rng = np.random.default_rng(config.seed)
    size = min(len(points), config.silhouette_sample)
    sample = np.sort(rng.choice(len(points), size, replace=False))
    distances = None
    if max(fitted) > 1:
        distances = metrics.pairwise_distances(points[sample])
        np.fill_diagonal(distances, 0.0)
    replicates = rng.integers(0, size, (_BOOTSTRAP_REPLICATES, size), dtype=np.int32)
    rows = []
    for k, clustering in fitted.items():
        labels = clustering.labels[sample]
        silhouette, interval = None, None
        inside = np.flatnonzero(labels != NOISE)
        if distances is not None and 1 < len(np.unique(labels[inside])) < len(inside):
            values = np.full(size, np.nan)
            values[inside] = metrics.silhouette_samples(
                distances[np.ix_(inside, inside)], labels[inside], metric="precomputed"
            )
            silhouette = float(np.nanmean(values))
            low, high = np.percentile(np.nanmean(values[replicates], axis=1), [2.5, 97.5])
            interval = (float(low), float(high))
        rows.append(KMeasures(k, silhouette, interval, clustering.inertia, clustering.sizes))
    return rows


def _from_algorithm(
    points: np.ndarray, clustering: Clustering, config: ClusteringConfig
) -> Selection:
    """The one clustering that there is, where the algorithm decides how many clusters."""
    reason = f"K={clustering.k} is what {config.algorithm} found"
    if clustering.note:
        reason += f" ({clustering.note})"
    if clustering.noise:
        reason += f"; {clustering.noise} of {len(points)} users are noise and belong to none"
    by_k = _measure(points, {clustering.k: clustering}, config)
    return Selection(clustering, "algorithm", f"{reason}.", by_k, clustering.k)


def _from_config(k: int, users: int, distinct: int) -> tuple[int, str]:
    """K as configured, less if the data cannot fill so many clusters."""
    if k <= distinct:
        return k, f"K={k} is set in the configuration (clustering.k)."
    what = f"{users} users" if distinct == users else f"{distinct} distinct embeddings"
    return distinct, (
        f"clustering.k is {k}, but there are only {what} to cluster: K is reduced to {distinct}."
    )


def _from_silhouette(
    by_k: list[KMeasures],
    users: int,
    distinct: int,
    config: ClusteringConfig,
    max_clusters: int,
) -> tuple[int, str]:
    """The K of the highest silhouette among those whose clusters are large enough."""
    measured = [row for row in by_k if row.k > 1 and row.silhouette is not None]
    if not measured:
        return 1, _why_one_cluster(users, distinct, max_clusters)
    notes = []
    candidates = [row for row in measured if row.k >= config.k_min]
    if not candidates:
        candidates = measured[-1:]
        notes.append(f"k_min={config.k_min} is out of reach with {users} users.")
    highest = max(candidates, key=_rank)
    large = [row for row in candidates if min(row.sizes) >= config.min_cluster_users]
    best = max(large, key=_rank) if large else highest
    low, high = best.silhouette_ci or (0.0, 0.0)
    notes.insert(
        0,
        f"K={best.k} has the highest silhouette, {best.silhouette:.3f} (95 % interval {low:.3f} "
        f"to {high:.3f}), of K={candidates[0].k} to {candidates[-1].k}"
        + (f" with at least {config.min_cluster_users} users in every cluster." if large else "."),
    )
    if not large:
        notes.append(
            f"No K gives every cluster min_cluster_users={config.min_cluster_users} users; the "
            f"smallest cluster here has {min(best.sizes)}."
        )
    elif highest.k != best.k:
        notes.append(
            f"K={highest.k} reaches {highest.silhouette:.3f}, but its smallest cluster has only "
            f"{min(highest.sizes)} user(s)."
        )
    return best.k, " ".join(notes)


def _rank(row: KMeasures) -> tuple[float, int]:
    """Sorts by silhouette; of equals, fewer clusters are better."""
    return (row.silhouette if row.silhouette is not None else -2.0, -row.k)


def _why_one_cluster(users: int, distinct: int, max_clusters: int) -> str:
    """Why nothing but K = 1 could be tried."""
    if max_clusters == 1:
        return "K=1, because max_clusters is 1."
    if users == 1:
        return "K=1, because there is only one user."
    if distinct == 1:
        return f"K=1, because the embeddings of all {users} users are identical."
    return f"K=1, because {users} users are too few to compare numbers of clusters."
