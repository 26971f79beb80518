"""Choice of K and algorithm: fits the candidates, decides, and keeps the whole table."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.sequence_clusterer.algorithms import Clustering
from components.sequence_clusterer.choice.candidates import (
    Candidate,
    CandidateTable,
    describe,
    fit_candidates,
)
from components.sequence_clusterer.choice.decision import (
    Decision,
    continued,
    decide,
    level_of_each,
)
from components.sequence_clusterer.choice.internal_measures import count_distinct
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.evaluation_record import ChoiceRecord, KMeasures


@dataclasses.dataclass(frozen=True)
class Selection:
    """The chosen clustering, why, and what else was tried.

    Attributes:
        decision: the choice.
        table: all candidates.
        reason: for the reader of the report.
    """

    decision: Decision
    table: CandidateTable
    reason: str

    @property
    def clustering(self) -> Clustering:
        """The chosen clustering."""
        return self.decision.candidate.clustering

    @property
    def algorithm(self) -> str:
        """The algorithm that gave it."""
        return self.decision.candidate.algorithm

    @property
    def k_from(self) -> str:
        """What decided: "separation", "silhouette", "config" or "last_run"."""
        return self.decision.k_from

    @property
    def elbow_k(self) -> int:
        """Where the inertia of the chosen algorithm bends most."""
        return self.table.curves[self.algorithm].elbow_k

    @property
    def by_k(self) -> list[Candidate]:
        """The candidates of the chosen algorithm, by rising K."""
        return [c for c in self.table.candidates if c.algorithm == self.algorithm]

    @property
    def separated(self) -> np.ndarray:
        """Which of the clusters have a valley of low density between them, bool [K, K]."""
        separation = self.decision.candidate.separation
        if separation is None:
            return np.zeros((self.clustering.k, self.clustering.k), dtype=bool)
        return separation.separated(level_of_each(self.table.candidates))

    def renumbered(self, candidate: Candidate) -> Selection:
        """The same choice, its clusters in another order as the candidate has them."""
        chosen = self.decision.candidate
        candidate = dataclasses.replace(candidate, gap=chosen.gap, gap_error=chosen.gap_error)
        return dataclasses.replace(
            self,
            decision=dataclasses.replace(self.decision, candidate=candidate),
            table=self.table.with_candidate(candidate),
        )

    def continued_by(self, candidate: Candidate, last_k: int) -> Selection:
        """The choice of clusters that go on from the last run's `last_k`."""
        table = self.table.with_candidate(candidate)
        decision = continued(candidate, last_k, level_of_each(table.candidates))
        return Selection(decision, table, decision.reason)

    def to_record(self) -> ChoiceRecord:
        """The part of `evaluation.json` on the choice."""
        level = level_of_each(self.table.candidates)
        chosen = describe(self.decision.candidate, level)
        return ChoiceRecord(
            algorithm=self.algorithm,
            chosen_k=self.decision.candidate.k,
            k_from=self.k_from,
            clusters_found=self.decision.clusters_found,
            reason=self.reason,
            by_k=[_row(candidate) for candidate in self.by_k],
            elbow_k=self.elbow_k,
            gap_k=self.table.curves[self.algorithm].gap_k,
            candidates=[describe(candidate, level) for candidate in self.table.candidates],
            separation=chosen.separation,
            stability=chosen.stability,
            silhouette_by_cluster=chosen.silhouette_by_cluster,
            silhouette_spread=list(self.decision.candidate.silhouette.spread),
        )


def select_clustering(points: np.ndarray, config: ClusteringConfig, max_clusters: int) -> Selection:
    """Fits every admissible K with every algorithm and chooses one.

    Args:
        points: float32 [n, dim] preprocessed embeddings, n >= 1.
        config: `k` set takes K from there (less if there are fewer distinct embeddings).
        max_clusters: no more clusters than this.
    """
    users = len(points)
    distinct = count_distinct(points, max_clusters)
    most = _most_clusters_to_try(users, distinct, config, max_clusters)
    table = fit_candidates(points, config, most)
    why_one = (
        _why_one_cluster(users, distinct, max_clusters)
        if most == 1
        else "K=1, because no more clusters were found."
    )
    decision = decide(table.candidates, config, users, why_one)
    reason = decision.reason
    if config.k is not None and config.k > distinct:
        what = f"{users} users" if distinct == users else f"{distinct} distinct embeddings"
        reason = (
            f"clustering.k is {config.k}, but there are only {what} to cluster: K is reduced to "
            f"{decision.candidate.k}."
        )
    if note := decision.candidate.clustering.note:
        reason += f" {decision.candidate.algorithm}: {note}."
    if noise := decision.candidate.clustering.noise:
        reason += f" {noise} of {users} users are noise and belong to no cluster."
    if decision.candidate.k > 1:
        elbow = table.curves[decision.candidate.algorithm].elbow_k
        reason += f" The elbow of the inertia is at K={elbow}."
    return Selection(decision, table, reason)


def _row(candidate: Candidate) -> KMeasures:
    """The measures by K that the report's curves are drawn from."""
    interval = candidate.silhouette.interval
    return KMeasures(
        k=candidate.k,
        silhouette=candidate.silhouette.mean,
        silhouette_ci=list(interval) if interval else None,
        inertia=candidate.clustering.inertia,
        sizes=candidate.sizes,
    )


def _most_clusters_to_try(
    users: int, distinct: int, config: ClusteringConfig, max_clusters: int
) -> int:
    """How far the curve over k goes: two users a cluster on average, and K itself if it is set."""
    tried = max(1, min(max_clusters, distinct, users // 2))
    if config.k is not None:
        tried = max(tried, min(config.k, distinct))
    return tried


def _why_one_cluster(users: int, distinct: int, max_clusters: int) -> str:
    """Why nothing but K = 1 could be tried."""
    if max_clusters == 1:
        return "K=1, because max_clusters is 1."
    if users == 1:
        return "K=1, because there is only one user."
    if distinct == 1:
        return f"K=1, because the embeddings of all {users} users are identical."
    return f"K=1, because {users} users are too few to compare numbers of clusters."
