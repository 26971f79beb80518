"""What a run leaves of its clusters for the next one, beside the rule that assigns.

The next run has another encoder, in whose space these centroids say nothing. So what is kept is who
was where: `users.parquet`, the fitted users by id with their cluster, and in `clusters.json` under
`lasting` the clusters' lasting numbers, names, which pairs had a valley between them, and the
settings that made them.
"""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from tfx.dsl.io import fileio

from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.errors import ClusteringError
from trainer.clusters.cluster_geometry import CLUSTERS_FILE
from trainer.raw_history import NOISE

USERS_FILE = "users.parquet"
# The settings that decide which clusters are made. With others, the user wants other clusters.
_DECISIVE = frozenset(
    {
        "algorithm",
        "algorithms",
        "representation",
        "normalize",
        "pca",
        "k",
        "k_min",
        "choose",
        "without_clusters",
    }
)


def clustering_settings(config: ClusteringConfig) -> dict[str, Any]:
    """The settings that decide which clusters are made, as JSON values."""
    return config.model_dump(mode="json", include=set(_DECISIVE))


@dataclasses.dataclass(frozen=True)
class LastClusters:
    """The clusters of an earlier run.

    Attributes:
        uri: their ClusterModel.
        algorithm: what made them, a name in the settings.
        settings: `clustering_settings` of that run.
        ids: int64 [K], lasting numbers by index.
        next_id: a number above every one that was ever given.
        separated: bool [K, K], pairs with a valley of low density between them.
        names: of each cluster, from its traits.
        user_ids: users whose cluster is known, at most that run's `fit_sample`.
        labels: int64, index of each of these users' cluster; -1 for noise.
    """

    uri: str
    algorithm: str
    settings: dict[str, Any]
    ids: np.ndarray
    next_id: int
    separated: np.ndarray
    names: list[str]
    user_ids: pa.Array
    labels: np.ndarray

    @property
    def clusters(self) -> int:
        """K, the number of clusters."""
        return len(self.ids)

    def labels_of(self, user_ids: pa.Array) -> np.ndarray:
        """The cluster, int64 [n], in which each of these users was; -1 if in none or not there."""
        place = pc.index_in(user_ids, value_set=self.user_ids).fill_null(-1).to_numpy()
        return np.append(self.labels, NOISE)[place]

    @classmethod
    def load(cls, uri: str) -> LastClusters:
        """Reads them from a ClusterModel artifact.

        Args:
            uri: the artifact's folder, with `clusters.json` and `users.parquet`.

        Raises:
            ClusteringError: a file is missing or not what it should be.
        """
        root = uri.rstrip("/")
        try:
            with fileio.open(f"{root}/{CLUSTERS_FILE}", "rb") as file:
                model = json.loads(file.read())
            with fileio.open(f"{root}/{USERS_FILE}", "rb") as file:
                users = pl.read_parquet(io.BytesIO(file.read()), columns=["user_id", "cluster"])
            lasting = model["lasting"]
            return cls(
                root,
                model["algorithm"],
                lasting["settings"],
                np.array(lasting["ids"], dtype=np.int64),
                int(lasting["next_id"]),
                np.array(lasting["separated"], dtype=bool),
                list(lasting["names"]),
                users["user_id"].to_arrow(),
                users["cluster"].to_numpy().astype(np.int64),
            )
        # Whatever is wrong with it, the run cannot start from it, and the user must choose.
        except Exception as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ClusteringError(
                f"clustering.start_from: the clusters at {root} cannot be continued ({what}); give "
                "another run, or none to start afresh"
            ) from error


def write_users(uri: str, user_ids: pa.Array, labels: np.ndarray, ids: np.ndarray) -> None:
    """Writes `users.parquet`: user_id, cluster and lasting_id of each fitted user.

    Args:
        uri: of the ClusterModel.
        user_ids: str [n].
        labels: int64 [n] in [-1, K).
        ids: int64 [K], the clusters' lasting numbers.
    """
    frame = pl.DataFrame(
        {
            "user_id": pl.Series(user_ids.to_pylist(), dtype=pl.String),
            "cluster": labels.astype(np.int64),
            "lasting_id": np.append(ids, NOISE)[labels],
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    with fileio.open(f"{uri.rstrip('/')}/{USERS_FILE}", "wb") as file:
        file.write(buffer.getvalue())
