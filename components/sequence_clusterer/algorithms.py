"""Clustering algorithms behind one interface.

An algorithm labels the points it is fitted on and gives one centroid a cluster. New users are
assigned to the nearest centroid (`trainer.membership`), whatever the algorithm, because that is
what an exported graph can repeat.
"""

from __future__ import annotations

import abc
import dataclasses

import numpy as np
from sklearn import cluster

from components.sequence_clusterer.config import ClusteringConfig


@dataclasses.dataclass(frozen=True)
class Clustering:
    """A fitted clustering, its clusters numbered from the largest to the smallest.

    Attributes:
        centroids: float32 [K, dim].
        labels: int64 [n], the cluster of each point it was fitted on; every cluster has a point.
        inertia: sum over the points of the squared distance to the centroid of their cluster.
    """

    centroids: np.ndarray
    labels: np.ndarray
    inertia: float

    @classmethod
    def of(cls, points: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> Clustering:
        """Numbers the clusters by size, leaving out empty ones, and measures the inertia."""
        sizes = np.bincount(labels, minlength=len(centroids))
        order = [k for k in np.argsort(-sizes, kind="stable") if sizes[k] > 0]
        number = np.zeros(len(centroids), dtype=np.int64)
        number[order] = np.arange(len(order))
        ordered = np.asarray(centroids, dtype=np.float32)[order]
        new_labels = number[labels]
        residuals = points - ordered[new_labels]
        return cls(ordered, new_labels, float(np.sum(residuals.astype(np.float64) ** 2)))

    @property
    def k(self) -> int:
        """The number of clusters."""
        return len(self.centroids)

    @property
    def sizes(self) -> list[int]:
        """Points per cluster, not rising."""
        return np.bincount(self.labels, minlength=self.k).tolist()


class ClusteringAlgorithm(abc.ABC):
    """One way to cluster points."""

    def __init__(self, config: ClusteringConfig):
        """Takes its own settings from the configuration."""
        self.config = config

    @abc.abstractmethod
    def fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        """Clusters the points.

        Args:
            points: float32 [n, dim], preprocessed embeddings with at least k distinct rows.
            k: how many clusters, 1 <= k <= n.
            seed: the same seed and points give the same clustering.
        """


class KMeans(ClusteringAlgorithm):
    """Lloyd's k-means from k-means++ starts."""

    def fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        """See the base class."""
        model = cluster.KMeans(n_clusters=k, n_init=self.config.restarts, random_state=seed)
        labels = model.fit_predict(points)
        return Clustering.of(points, model.cluster_centers_, labels)


ALGORITHMS: dict[str, type[ClusteringAlgorithm]] = {"kmeans": KMeans}


def make_algorithm(config: ClusteringConfig) -> ClusteringAlgorithm:
    """The algorithm that the configuration names."""
    return ALGORITHMS[config.algorithm](config)
