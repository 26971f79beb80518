"""Algorithms whose clusters are what is nearest to a centroid."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np
from sklearn import cluster

from components.sequence_clusterer.algorithms.clustering import Clustering, ClusteringAlgorithm
from trainer.clusters.nearest_prototype import NearestPrototype


class _CentroidAlgorithm(ClusteringAlgorithm):
    """The rule is the nearest centroid."""

    has_centroids = True

    def _fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        model = self._model(k, seed)
        labels = model.fit_predict(points)
        rule = NearestPrototype.fitted(list(model.cluster_centers_[:, None, :]), points)
        return Clustering.of(points, rule, points, labels)

    @abc.abstractmethod
    def _model(self, k: int, seed: int) -> Any:
        """A scikit-learn estimator with `cluster_centers_`."""


class KMeans(_CentroidAlgorithm):
    """Lloyd's k-means from k-means++ starts (Arthur and Vassilvitskii 2007)."""

    title = "k-means"

    def _model(self, k: int, seed: int) -> Any:
        return cluster.KMeans(n_clusters=k, n_init=self.config.restarts, random_state=seed)


class MiniBatchKMeans(_CentroidAlgorithm):
    """k-means by stochastic steps (Sculley 2010): a little worse, faster on many users."""

    title = "mini-batch k-means"

    def _model(self, k: int, seed: int) -> Any:
        return cluster.MiniBatchKMeans(n_clusters=k, n_init=self.config.restarts, random_state=seed)


class BisectingKMeans(_CentroidAlgorithm):
    """Splits the cluster of the largest inertia in two until there are K (Steinbach et al. 2000).

    scikit-learn assigns new points down the tree of splits; here the nearest of the final
    centroids decides, which is the same but for a few points at the borders.
    """

    title = "bisecting k-means"

    def _model(self, k: int, seed: int) -> Any:
        return cluster.BisectingKMeans(n_clusters=k, n_init=self.config.restarts, random_state=seed)
