"""`evaluation.json`: how the users were clustered, and how well."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from trainer.artifact_record import Measure, Record, RecordFile

Interval = list[Measure] | None
"""Lower and upper end."""


class KMeasures(Record):
    """A candidate of the chosen algorithm, for the curves by K."""

    k: int
    silhouette: Measure
    silhouette_ci: Interval
    inertia: Measure
    sizes: list[int]


class SeparationRecord(Record):
    """Valleys of low density between the clusters of a candidate, at a level of significance."""

    groups: int
    level: float
    ratios: list[list[Measure]]
    separated: list[list[bool]]


class StabilityRecord(Record):
    """Whether a clustering comes back; lists are by cluster, `together` is K x K."""

    ari_resampled: Measure
    ari_resampled_ci: Interval
    ari_reseeded: Measure
    jaccard: list[Measure]
    readings: list[str]
    together: list[list[Measure]]
    resamples: int
    users: int


class CandidateRecord(Record):
    """One algorithm with one K, and its measures; None where a measure is not defined."""

    algorithm: str
    k: int
    sizes: list[int]
    smallest_cluster: int
    noise_share: float
    silhouette: Measure
    silhouette_ci: Interval
    silhouette_by_cluster: list[Measure]
    davies_bouldin: Measure
    calinski_harabasz: Measure
    inertia: Measure
    bic: Measure
    gap: Measure
    gap_error: Measure
    separation: SeparationRecord | None
    stability: StabilityRecord | None


class SilhouetteSpread(Record):
    """How the silhouettes of one cluster's sampled users are spread: the plot by Rousseeuw 1987.

    Attributes:
        users: how many were sampled.
        quantiles: 21 of them, from the lowest value to the highest in steps of 5 %.
        below_zero: share of users that are nearer to another cluster, on average, than to their
            own.
    """

    users: int
    quantiles: tuple[float, ...]
    below_zero: float


class ClusterTransitions(Record):
    """Users by old and new cluster, noise last, and what became of the old clusters (MONIC)."""

    users: int
    left: float
    flows: list[list[int]]
    survived: dict[int, int]
    merged: dict[int, list[int]]
    split: dict[int, list[int]]
    vanished: list[int]
    appeared: list[int]
    in_words: list[str]


class DriftRecord(Record):
    """The same users at an earlier moment and now; or the `reason` why nothing was measured.

    Attributes:
        reason: "" where it was measured.
        moment: seconds since 1970, UTC.
        users: who are known at both moments.
        changed: share of them in another cluster.
        assigned: both times assigned to the clusters of this run.
        refitted: clusters fitted to the earlier moment alone, against those of this run.
        ari: adjusted Rand index of the refitted and this run's clusters.
    """

    reason: str = ""
    moment: int | None = None
    users: int = 0
    changed: Measure = None
    assigned: ClusterTransitions | None = None
    refitted: ClusterTransitions | None = None
    ari: Measure = None


class LabelColumn(Record):
    """Agreement of the clusters with one column of outside labels; `table` counts users."""

    column: str
    users: int
    users_without_cluster: int
    nmi: Measure
    ami: Measure
    ari: Measure
    v_measure: Measure
    homogeneity: Measure
    completeness: Measure
    p_value: float
    q_value: float
    shuffles: int
    values: list[str]
    table: list[list[int]]
    row_shares: list[list[float]]
    overall_shares: list[float]


class LabelAgreement(Record):
    """How far the clusters agree with labels from outside."""

    file: str
    users_in_file: int
    matched: int
    columns: list[LabelColumn]
    skipped: dict[str, str]


class LastRun(Record):
    """The clusters that this run's went on from, or tried to."""

    uri: str
    ids: list[int]
    names: list[str]
    users: int


class ClusterChange(Record):
    """What happened to one cluster from the last run to this one.

    Attributes:
        kind: "kept", "merged" (took in others), "split off", "created" or "retired".
        lasting_id: its lasting number.
        cluster: its index in this run; None where it was retired.
        others: lasting numbers of the clusters taken in, or of the one that it split off from.
        users: of this run's sample.
        before: users of both runs who were in it in the last one.
        stayed: these of them who still are.
        words: all of this for people.
    """

    kind: Literal["kept", "merged", "split off", "created", "retired"]
    lasting_id: int
    cluster: int | None
    others: list[int]
    users: int
    before: int
    stayed: int
    words: str


class ChosenAnew(Record):
    """What would have been chosen without the last run; `ari` is its likeness with what was."""

    k: int
    algorithm: str
    clusters_found: bool | None
    reason: str
    ari: float


class LastingClusters(Record):
    """What the clusters have to do with the last run's; `last` is None on a first run."""

    ids: list[int]
    how: Literal["first", "continued", "matched", "afresh"]
    reason: str
    last: LastRun | None = None
    common_users: int = 0
    found_again: Measure = None
    changes: list[ClusterChange] = []
    flows: list[list[int]] | None = None
    new_users: list[int] | None = None
    anew: ChosenAnew | None = None


class ChoiceRecord(Record):
    """The chosen clustering, why, and what else was tried.

    Attributes:
        algorithm: of the chosen clustering.
        chosen_k: its number of clusters.
        k_from: what decided: "separation", "silhouette", "config" or "last_run".
        clusters_found: whether valleys of low density part the users; None where that was not
            tested.
        reason: why this one, in words.
        by_k: candidates of the chosen algorithm.
        elbow_k: where their inertia bends most.
        gap_k: K by the rule of the gap statistic; None where it was not measured.
        candidates: all of them.
        separation, stability, silhouette_by_cluster, silhouette_spread: of the chosen clustering.
    """

    algorithm: str
    chosen_k: int
    k_from: str
    clusters_found: bool | None
    reason: str
    by_k: list[KMeasures]
    elbow_k: int | None
    gap_k: int | None
    candidates: list[CandidateRecord]
    separation: SeparationRecord | None
    stability: StabilityRecord | None
    silhouette_by_cluster: list[Measure]
    silhouette_spread: list[SilhouetteSpread | None]


class EvaluationRecord(ChoiceRecord, RecordFile):
    """The judgement of a clustering.

    Attributes:
        drift: within the log.
        representation: what of a user was clustered.
        preprocess: of the embeddings.
        rule: what assigns users to clusters.
        rule_agreement: share of the fitted users whom the rule assigns as the algorithm did.
        users: of the train split.
        sampled: of them fitted on.
        sizes: sampled users by cluster.
        noise: sampled users who belong to no cluster.
        small_clusters: with fewer users than asked for.
        lasting: what they have to do with the last run's.
        labels: agreement with labels from outside; None where there were none.
    """

    FILE_NAME: ClassVar[str] = "evaluation.json"

    drift: DriftRecord
    representation: str
    preprocess: dict[str, Any]
    rule: str
    rule_agreement: Measure
    users: int
    sampled: int
    sizes: list[int]
    noise: int
    small_clusters: list[int]
    lasting: LastingClusters
    labels: LabelAgreement | None = None
