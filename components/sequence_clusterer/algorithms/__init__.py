"""Clustering algorithms behind one interface; see `clustering.py`."""

from __future__ import annotations

from components.sequence_clusterer.algorithms.agglomerative import Agglomerative
from components.sequence_clusterer.algorithms.centroids import (
    BisectingKMeans,
    KMeans,
    MiniBatchKMeans,
)
from components.sequence_clusterer.algorithms.clustering import Clustering, ClusteringAlgorithm
from components.sequence_clusterer.algorithms.density import Dbscan, Hdbscan
from components.sequence_clusterer.algorithms.gaussian_mixture import GaussianMixture
from components.sequence_clusterer.config import ClusteringConfig

__all__ = ["ALGORITHMS", "Clustering", "ClusteringAlgorithm", "make_algorithm"]

ALGORITHMS: dict[str, type[ClusteringAlgorithm]] = {
    "kmeans": KMeans,
    "minibatch_kmeans": MiniBatchKMeans,
    "bisecting_kmeans": BisectingKMeans,
    "gaussian_mixture": GaussianMixture,
    "agglomerative": Agglomerative,
    "dbscan": Dbscan,
    "hdbscan": Hdbscan,
}


def make_algorithm(config: ClusteringConfig) -> ClusteringAlgorithm:
    """The algorithm that the configuration names.

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [0.1], [0.2], [9.0], [9.1]], np.float32)
        >>> found = make_algorithm(ClusteringConfig(algorithm="kmeans")).fit(points, k=2, seed=1)
        >>> found.labels.tolist(), found.sizes
        ([0, 0, 0, 1, 1], [3, 2])
        >>> found.assign(np.array([[8.0]], np.float32)).tolist()
        [1]
    """
    return ALGORITHMS[config.algorithm](config)
