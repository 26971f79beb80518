"""Settings of the clustering."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from trainer.settings import ConfigError, Settings

AlgorithmName = Literal[
    "kmeans",
    "minibatch_kmeans",
    "bisecting_kmeans",
    "gaussian_mixture",
    "agglomerative",
    "dbscan",
    "hdbscan",
]


LAST, NOTHING = "last", "none"
"""What `start_from` may be besides a path."""


class ClusteringConfig(Settings):
    """How users are clustered.

    Attributes:
        algorithm: a name in `algorithms.ALGORITHMS`. `dbscan` and `hdbscan` find the number of
            clusters themselves and leave users out of all of them (noise).
        algorithms: names in `algorithms.ALGORITHMS` that the choice compares; empty means
            `algorithm` only.
        representation: what of a user is clustered: the query (`last_state`), the mean of the
            encoder's states along the history (`mean_states`), or their means over the newest,
            the middle and the oldest third (`multi_period`); see `trainer.clusters.representation`.
        k: the number of clusters; None chooses it (`choose`).
        choose: what decides on K and algorithm. "auto": the most groups of users separated by
            valleys of low density (`decision.decide`), which may be none. "silhouette": the
            highest silhouette, whether or not there are clusters.
        without_clusters: what "auto" does where there are no clusters. "best" cuts the users at
            the K of the highest silhouette: specialists may be worth it on parts of a continuum
            too, and whether they are is measured later. "one" takes K=1 and saves their training.
        k_min: the fewest clusters that the choice considers.
        min_cluster_users: the choice prefers a K whose smallest cluster has at least so many of
            the users it was fitted on; smaller clusters of the chosen K are flagged.
        normalize: scale embeddings to length one before clustering, so that their direction
            counts and not their length (which grows with the length of a history).
        pca: principal components to cluster in, after normalising: a number of them, or the share
            of the variance that they keep (0.9); None keeps all dimensions.
        covariance_type: of `gaussian_mixture`. Full ones have dim² parameters a cluster: reduce
            the dimensions with `pca` first.
        linkage: of `agglomerative`.
        eps: of `dbscan`, the radius of a neighbourhood; "auto" takes it from the k-distance curve.
        min_samples: of `dbscan` and `hdbscan`, points in the neighbourhood of a core point, itself
            included.
        min_cluster_size: of `hdbscan`, the fewest sampled users of a cluster; None takes
            `min_cluster_users`.
        pairwise_sample: `agglomerative`, `dbscan` and `hdbscan` look at all pairs of users, so they
            are fitted on at most so many of the `fit_sample`. Memory grows with the square.
        fit_sample: at most so many users are embedded to fit the clusters and describe them.
        silhouette_sample: at most so many of those are used for the silhouette (all pairs).
        drift_sample: at most so many of the sampled users are embedded a second time, as of an
            earlier moment, to see how clusters drift; 0 leaves it out.
        restarts: starts of the algorithm, of which the best is kept.
        batch_size: histories per call of the encoder.
        price_per: what a price of the log is paid for: one "unit" (spend is price times quantity),
            or the whole "event", as the total of a receipt's line is.
        start_from: the clusters that this run goes on from, so that they keep their numbers
            (`continuation`). "last": those of the last run on other data in the same run directory,
            if there is one; a compiled pipeline cannot know it and is told when it is run, by its
            parameter `start_from`. "none": there is nothing to go on from. Else a path: a run
            directory, or the folder of a ClusterModel.
        labels: a CSV or Parquet file with labels of users to compare the clusters with (age band,
            planted cluster, …), one row a user: a path, or `package:NAME/path`; None for no
            comparison. The labels change nothing but the report.
        labels_user_column: the column of user ids in `labels`; all others are labels.
        seed: decides the sampled users and the starts.
    """

    algorithm: AlgorithmName = "kmeans"
    algorithms: tuple[AlgorithmName, ...] = ()
    representation: Literal["last_state", "mean_states", "multi_period"] = "mean_states"
    k: int | None = pydantic.Field(default=None, ge=1)
    choose: Literal["auto", "silhouette"] = "auto"
    without_clusters: Literal["one", "best"] = "best"
    k_min: int = pydantic.Field(default=2, ge=2)
    min_cluster_users: int = pydantic.Field(default=20, ge=1)
    normalize: bool = True
    pca: (
        Annotated[int, pydantic.Field(ge=1)] | Annotated[float, pydantic.Field(gt=0, lt=1)] | None
    ) = None
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag"
    linkage: Literal["ward", "complete", "average"] = "ward"
    eps: Annotated[float, pydantic.Field(gt=0)] | Literal["auto"] = "auto"
    min_samples: int = pydantic.Field(default=10, ge=1)
    min_cluster_size: int | None = pydantic.Field(default=None, ge=2)
    pairwise_sample: int = pydantic.Field(default=5_000, ge=100, le=20_000)
    fit_sample: int = pydantic.Field(default=50_000, ge=1)
    silhouette_sample: int = pydantic.Field(default=5_000, ge=10, le=20_000)
    drift_sample: int = pydantic.Field(default=5_000, ge=0)
    restarts: int = pydantic.Field(default=5, ge=1)
    batch_size: int = pydantic.Field(default=256, ge=1)
    price_per: Literal["unit", "event"] = "unit"
    start_from: str = pydantic.Field(default=LAST, min_length=1)
    labels: str | None = pydantic.Field(default=None, min_length=1)
    labels_user_column: str = "user_id"
    seed: int = pydantic.Field(default=0, ge=0, lt=2**32)

    @pydantic.model_validator(mode="after")
    def _k_is_for_those_who_take_it(self) -> ClusteringConfig:
        if self.k is not None and self.algorithm in ("dbscan", "hdbscan"):
            raise ValueError(
                f"{self.algorithm} finds the number of clusters itself, so k={self.k} cannot be "
                "asked for: leave out k or choose another algorithm"
            )
        return self

    def check_against(self, max_clusters: int) -> None:
        """Checks the settings that depend on how many per-cluster nodes the pipeline has.

        Raises:
            ConfigError: `k` or `k_min` asks for more clusters than `max_clusters`.
        """
        if max_clusters < 1:
            raise ConfigError(f"setting 'run.max_clusters' must be at least 1 (got {max_clusters})")
        if self.k is not None and self.k > max_clusters:
            raise ConfigError(
                f"setting 'clustering.k' is {self.k}, but the pipeline has per-cluster trainers "
                f"for {max_clusters}; raise run.max_clusters or lower clustering.k"
            )
        if self.k is None and self.k_min > max(max_clusters, 2):
            raise ConfigError(
                f"setting 'clustering.k_min' is {self.k_min}, above "
                f"run.max_clusters={max_clusters}; lower clustering.k_min or raise run.max_clusters"
            )
