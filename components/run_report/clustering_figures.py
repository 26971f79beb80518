"""`evaluation.json` of SequenceClusterer, typed: how the users were clustered, and how well."""

from __future__ import annotations

from components.run_report.figure_base import Figures, Measure
from components.run_report.lasting_figures import LastingClusters


class KMeasures(Figures):
    """How good a clustering into k groups is."""

    k: int
    silhouette: Measure = None
    silhouette_ci: list[Measure] | None = None
    inertia: Measure = None
    sizes: list[int] = []


class LabelColumn(Figures):
    """Agreement of the clusters with one column of outside labels; `table` counts users."""

    column: str
    users: int = 0
    nmi: Measure = None
    ami: Measure = None
    ari: Measure = None
    homogeneity: Measure = None
    completeness: Measure = None
    p_value: Measure = None
    q_value: Measure = None
    values: list[str] = []
    table: list[list[int]] = []
    row_shares: list[list[Measure]] = []
    overall_shares: list[Measure] = []


class LabelAgreement(Figures):
    """`labels` in `evaluation.json` of SequenceClusterer."""

    file: str = ""
    users_in_file: int = 0
    matched: int = 0
    columns: list[LabelColumn] = []
    skipped: dict[str, str] = {}


class CandidateSeparation(Figures):
    """Valleys of low density between the clusters of a candidate."""

    groups: int | None = None


class CandidateStability(Figures):
    """Whether a candidate comes back; adjusted Rand indices."""

    ari_resampled: Measure = None
    ari_resampled_ci: list[Measure] | None = None
    ari_reseeded: Measure = None


class Candidate(Figures):
    """One algorithm with one K, and its measures; None where a measure is not defined."""

    algorithm: str
    k: int
    silhouette: Measure = None
    silhouette_ci: list[Measure] | None = None
    davies_bouldin: Measure = None
    calinski_harabasz: Measure = None
    inertia: Measure = None
    gap: Measure = None
    gap_error: Measure = None
    bic: Measure = None
    smallest_cluster: int | None = None
    noise_share: Measure = None
    separation: CandidateSeparation | None = None
    stability: CandidateStability | None = None


class SilhouetteSpread(Figures):
    """The silhouettes of one cluster's sampled users; `quantiles` rise."""

    users: int = 0
    quantiles: list[float] = []
    below_zero: Measure = None


class StabilityFigures(CandidateStability):
    """How well the chosen clustering comes back; lists are by cluster, `together` is K x K."""

    jaccard: list[Measure] = []
    readings: list[str] = []
    together: list[list[Measure]] = []
    resamples: int = 0
    users: int = 0


class TransitionFigures(Figures):
    """Users by old and new cluster, noise last, and what became of the old clusters (MONIC)."""

    users: int = 0
    left: Measure = None
    flows: list[list[int]] = []
    survived: dict[int, int] = {}
    merged: dict[int, list[int]] = {}
    split: dict[int, list[int]] = {}
    vanished: list[int] = []
    appeared: list[int] = []


class DriftFigures(Figures):
    """The same users at an earlier moment and now; or the `reason` why nothing was measured."""

    reason: str = ""
    moment: int | None = None
    """Seconds since 1970, UTC."""
    users: int = 0
    changed: Measure = None
    assigned: TransitionFigures | None = None
    """Both times assigned to the clusters of this run."""
    refitted: TransitionFigures | None = None
    """Clusters fitted to the earlier moment alone, against those of this run."""
    ari: Measure = None


class ClusteringFigures(Figures):
    """`evaluation.json` of SequenceClusterer."""

    algorithm: str = "unknown"
    representation: str = "unknown"
    chosen_k: int = 1
    k_from: str = "unknown"
    reason: str = ""
    by_k: list[KMeasures] = []
    elbow_k: int | None = None
    users: int = 0
    sampled: int | None = None
    sizes: list[int] = []
    noise: int = 0
    """Sampled users who belong to no cluster."""
    clusters_found: bool | None = None
    """Whether valleys of low density part the users; None where that was not tested."""
    gap_k: int | None = None
    candidates: list[Candidate] = []
    silhouette_by_cluster: list[Measure] = []
    silhouette_spread: list[SilhouetteSpread | None] = []
    stability: StabilityFigures | None = None
    drift: DriftFigures | None = None
    labels: LabelAgreement | None = None
    lasting: LastingClusters | None = None
