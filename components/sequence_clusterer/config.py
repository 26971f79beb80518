"""Settings of the clustering."""

from __future__ import annotations

from typing import Literal

import pydantic

from trainer.settings import ConfigError, Settings


class ClusteringConfig(Settings):
    """How users are clustered.

    Attributes:
        algorithm: a name in `algorithms.ALGORITHMS`.
        k: the number of clusters; None chooses it by silhouette.
        k_min: the fewest clusters that the choice considers.
        min_cluster_users: the choice prefers a K whose smallest cluster has at least so many of
            the users it was fitted on; smaller clusters of the chosen K are flagged.
        normalize: scale embeddings to length one before clustering, so that their direction
            counts and not their length (which grows with the length of a history).
        fit_sample: at most so many users are embedded to fit the clusters and describe them.
        silhouette_sample: at most so many of those are used for the silhouette (all pairs).
        restarts: starts of the algorithm, of which the best is kept.
        batch_size: histories per call of the encoder.
        price_per: what a price of the log is paid for: one "unit" (spend is price times quantity),
            or the whole "event", as the total of a receipt's line is.
        labels: a CSV or Parquet file with labels of users to compare the clusters with (age band,
            planted cluster, …), one row a user: a path, or `package:NAME/path`; None for no
            comparison. The labels change nothing but the report.
        labels_user_column: the column of user ids in `labels`; all others are labels.
        seed: decides the sampled users and the starts.
    """

    algorithm: Literal["kmeans"] = "kmeans"
    k: int | None = pydantic.Field(default=None, ge=1)
    k_min: int = pydantic.Field(default=2, ge=2)
    min_cluster_users: int = pydantic.Field(default=20, ge=1)
    normalize: bool = True
    fit_sample: int = pydantic.Field(default=50_000, ge=1)
    silhouette_sample: int = pydantic.Field(default=5_000, ge=10, le=20_000)
    restarts: int = pydantic.Field(default=3, ge=1)
    batch_size: int = pydantic.Field(default=256, ge=1)
    price_per: Literal["unit", "event"] = "unit"
    labels: str | None = pydantic.Field(default=None, min_length=1)
    labels_user_column: str = "user_id"
    seed: int = pydantic.Field(default=0, ge=0, lt=2**32)

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
