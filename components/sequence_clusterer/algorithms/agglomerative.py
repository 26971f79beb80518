"""Hierarchical clustering from the bottom up."""

from __future__ import annotations

import numpy as np
from sklearn import cluster

from components.sequence_clusterer.algorithms.clustering import (
    Clustering,
    ClusteringAlgorithm,
    one_cluster,
)
from components.sequence_clusterer.algorithms.prototypes import MOST_PROTOTYPES, compressed
from trainer.clusters.nearest_prototype import NearestPrototype

# Clusters of Ward's are not what is nearest to a centroid. On three shops' embeddings one
# prototype reproduced 77 to 94 % of the labels, 32 of them 91 to 99 %.
_PROTOTYPES = 32


class Agglomerative(ClusteringAlgorithm):
    """Merges the two closest clusters until K are left; `linkage` says what close means.

    Ward's criterion (Ward 1963) is the default. Fitted on at most `pairwise_sample` points, with
    8 n² bytes for their distances (measured: 200 MB for 5,000). The rule is the nearest of up
    to 32 prototypes a cluster.
    """

    title = "agglomerative clustering"

    def _fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        if k == 1:
            return one_cluster(points)
        sample = self._pairwise_sample(points, seed)
        model = cluster.AgglomerativeClustering(n_clusters=k, linkage=self.config.linkage)
        labels = model.fit_predict(sample)
        size = min(_PROTOTYPES, max(1, MOST_PROTOTYPES // k))
        groups = [compressed(sample[labels == i], size, seed) for i in range(k)]
        return Clustering.of(points, NearestPrototype.fitted(groups, sample), sample, labels)
