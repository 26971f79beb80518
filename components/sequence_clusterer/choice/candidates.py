"""The table that the choice is made from: every algorithm with every K, and its measures."""

from __future__ import annotations

import dataclasses

import numpy as np
from threadpoolctl import threadpool_limits

from components.sequence_clusterer.algorithms import (
    Clustering,
    ClusteringAlgorithm,
    make_algorithm,
)
from components.sequence_clusterer.algorithms.clustering import one_cluster
from components.sequence_clusterer.choice.gap_statistic import gap_k, gap_statistic
from components.sequence_clusterer.choice.information_criterion import spherical_bic
from components.sequence_clusterer.choice.internal_measures import (
    Silhouette,
    SilhouetteSample,
    calinski_harabasz,
    davies_bouldin,
    elbow_k,
    sizes_of,
)
from components.sequence_clusterer.choice.separation import Separation, measure_separation
from components.sequence_clusterer.choice.stability import Stability, measure_stability
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.evaluation_record import (
    CandidateRecord,
    SeparationRecord,
    StabilityRecord,
)


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One clustering and its measures.

    Attributes:
        algorithm: its name in the settings.
        clustering: as fitted to all points.
        sizes: points per cluster, noise left out.
        noise_share: part of the points that belong to no cluster.
        silhouette: tightness against distance, see `Silhouette`.
        davies_bouldin: lower is better; None where it is not defined.
        calinski_harabasz: higher is better; None where it is not defined.
        bic: of the algorithm's own model where it is one, else of round clusters
            (`spherical_bic`); lower is better; None where it is not defined.
        gap, gap_error: Gap(k) and s_k of the gap statistic; None where it is not measured.
        separation: valleys between the clusters; None where it cannot be tested.
        stability: whether it comes back; None where it cannot be measured, and of one cluster.
    """

    algorithm: str
    clustering: Clustering
    sizes: list[int]
    noise_share: float
    silhouette: Silhouette
    davies_bouldin: float | None
    calinski_harabasz: float | None
    bic: float | None
    gap: float | None
    gap_error: float | None
    separation: Separation | None
    stability: Stability | None

    @property
    def k(self) -> int:
        """The number of clusters."""
        return len(self.sizes)

    @property
    def smallest(self) -> int:
        """Points of the smallest cluster."""
        return min(self.sizes)


@dataclasses.dataclass(frozen=True)
class Curve:
    """What an algorithm's row of candidates says as a whole.

    Attributes:
        elbow_k: where its inertia bends most.
        gap_k: K by the rule of the gap statistic, 1 meaning no clusters; None if not measured.
    """

    elbow_k: int
    gap_k: int | None


@dataclasses.dataclass(frozen=True)
class CandidateTable:
    """All candidates.

    Attributes:
        candidates: by algorithm in the order of the settings, then by K from 1 up.
        curves: one for each algorithm.
    """

    candidates: list[Candidate]
    curves: dict[str, Curve]

    def with_candidate(self, candidate: Candidate) -> CandidateTable:
        """The table with a candidate in its place, instead of the one with its algorithm and K."""
        place = [c.algorithm for c in self.candidates].index(candidate.algorithm)
        own = [c for c in self.candidates if c.algorithm == candidate.algorithm]
        rows = sorted([*(c for c in own if c.k != candidate.k), candidate], key=lambda c: c.k)
        rest = [c for c in self.candidates if c.algorithm != candidate.algorithm]
        return CandidateTable([*rest[:place], *rows, *rest[place:]], self.curves)


def fit_candidates(points: np.ndarray, config: ClusteringConfig, most: int) -> CandidateTable:
    """Fits every algorithm with every K and measures the result.

    Args:
        points: float32 [n, dim] with at least `most` distinct rows.
        config: algorithms, seed, sample of the silhouette.
        most: K from 1 up to this. An algorithm that finds another number of clusters than it is
            asked for is measured with what it finds. K=1 is always there.
    """
    silhouettes = SilhouetteSample(points, config.silhouette_sample, config.seed)
    candidates: list[Candidate] = []
    curves: dict[str, Curve] = {}
    for name in config.algorithms or (config.algorithm,):
        algorithm = make_algorithm(config.updated({"algorithm": name, "k": None}))
        # What finds its own number is only told how many to keep.
        asked = [most] if algorithm.finds_k else range(1, most + 1)
        fitted: dict[int, Clustering] = {}
        for k in asked:
            clustering = algorithm.fit(points, k, config.seed)
            fitted.setdefault(clustering.k, clustering)
        fitted.setdefault(1, one_cluster(points))
        ks = sorted(fitted)
        gaps = []
        # Hundreds of fits of small samples: several threads would mostly wait for one another.
        with threadpool_limits(1):
            if not algorithm.finds_k and most > 1 and ks == list(range(1, most + 1)):
                gaps = gap_statistic(points, algorithm, ks, config.seed)
            by_k = {gap.k: (gap.gap, gap.error) for gap in gaps}
            for k in ks:
                measured = _measure(
                    points, name, algorithm, fitted[k], silhouettes, by_k.get(k), config.seed
                )
                candidates.append(measured)
        inertias = [fitted[k].inertia for k in ks]
        curves[name] = Curve(elbow_k(ks, inertias), gap_k(gaps))
    return CandidateTable(candidates, curves)


def measure_clustering(
    points: np.ndarray,
    name: str,
    clustering: Clustering,
    config: ClusteringConfig,
) -> Candidate:
    """All measures, without the gap statistic, of a clustering that is in no table.

    Args:
        points: float32 [n, dim], what it was fitted on.
        name: of its algorithm, which is refitted to halves, where valleys are looked for, and to
            samples, to see whether the cut comes back.
        clustering: to measure.
        config: sizes and seed.
    """
    silhouettes = SilhouetteSample(points, config.silhouette_sample, config.seed)
    algorithm = make_algorithm(config.updated({"algorithm": name, "k": None}))
    with threadpool_limits(1):
        return _measure(points, name, algorithm, clustering, silhouettes, None, config.seed)


def describe(candidate: Candidate, level: float) -> CandidateRecord:
    """The candidate as it stands in `evaluation.json`.

    Args:
        candidate: to describe.
        level: of significance, at which pairs of clusters count as separated.
    """
    return CandidateRecord(
        algorithm=candidate.algorithm,
        k=candidate.k,
        sizes=candidate.sizes,
        smallest_cluster=candidate.smallest,
        noise_share=candidate.noise_share,
        silhouette=candidate.silhouette.mean,
        silhouette_ci=_list(candidate.silhouette.interval),
        silhouette_by_cluster=list(candidate.silhouette.by_cluster),
        davies_bouldin=candidate.davies_bouldin,
        calinski_harabasz=candidate.calinski_harabasz,
        inertia=candidate.clustering.inertia,
        bic=candidate.bic,
        gap=candidate.gap,
        gap_error=candidate.gap_error,
        separation=_separation(candidate.separation, level),
        stability=_stability(candidate.stability),
    )


def _separation(separation: Separation | None, level: float) -> SeparationRecord | None:
    if separation is None:
        return None
    return SeparationRecord(
        groups=separation.groups(level),
        level=level,
        ratios=separation.ratios.tolist(),
        separated=separation.separated(level).tolist(),
    )


def _stability(stability: Stability | None) -> StabilityRecord | None:
    if stability is None:
        return None
    return StabilityRecord(
        ari_resampled=stability.resampled,
        ari_resampled_ci=_list(stability.resampled_interval),
        ari_reseeded=stability.reseeded,
        jaccard=stability.jaccard,
        readings=stability.readings(),
        together=stability.together.tolist(),
        resamples=stability.resamples,
        users=stability.users,
    )


def _measure(
    points: np.ndarray,
    name: str,
    algorithm: ClusteringAlgorithm,
    clustering: Clustering,
    silhouettes: SilhouetteSample,
    gap: tuple[float, float] | None,
    seed: int,
) -> Candidate:
    """All measures of one clustering."""
    labels, k = clustering.labels, clustering.k
    several = k > 1

    def fit(half: np.ndarray) -> np.ndarray:
        return algorithm.fit(half, k, seed).centroids

    return Candidate(
        algorithm=name,
        clustering=clustering,
        sizes=sizes_of(labels, k),
        noise_share=float((labels < 0).mean()),
        silhouette=silhouettes.measure(labels, k)
        if several
        else Silhouette(by_cluster=(None,), spread=(None,)),
        davies_bouldin=davies_bouldin(points, labels),
        calinski_harabasz=calinski_harabasz(points, labels),
        bic=spherical_bic(points, labels, k) if clustering.bic is None else clustering.bic,
        gap=gap[0] if gap else None,
        gap_error=gap[1] if gap else None,
        separation=measure_separation(points, fit, clustering.centroids, seed),
        stability=measure_stability(points, labels, algorithm, k, seed) if several else None,
    )


def _list(values: tuple[float, float] | None) -> list[float | None] | None:
    return None if values is None else list(values)
