"""What every algorithm is asked for, and what it gives: a rule, and the labels by that rule.

An algorithm fits a rule (`trainer.clusters.assignment_rule`) that an exported graph can repeat. The
labels of the points are the rule's, not the algorithm's own, so that fitting, training, evaluation
and serving agree about every user; how often the two differ is reported.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import ClassVar

import numpy as np

from components.sequence_clusterer.config import ClusteringConfig
from trainer.clusters.assignment_rule import AssignmentRule
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.raw_history import NOISE

# Numbering by size moves ties between clusters, which may change sizes once more.
_NUMBERING_PASSES = 3


@dataclasses.dataclass(frozen=True)
class Clustering:
    """A fitted clustering, its clusters numbered from the largest to the smallest.

    Those that go on from the last run (`numbered_as`) are in the order of their lasting numbers.

    Attributes:
        rule: assigns any point of the space.
        labels: int64 [n], what the rule says of the points; -1 for noise.
        centroids: float32 [K, dim], mean of the points of each cluster.
        inertia: sum over the points, but noise, of the squared distance to their centroid.
        rule_agreement: share of the points that the algorithm itself labelled which have the same
            label by the rule.
        bic: Bayesian information criterion of the points (Schwarz 1978), the lower the better;
            None where the algorithm is no probability model.
        note: what a reader should know about the fit; "" if nothing.
    """

    rule: AssignmentRule
    labels: np.ndarray
    centroids: np.ndarray
    inertia: float
    rule_agreement: float
    bic: float | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        points: np.ndarray,
        rule: AssignmentRule,
        labelled: np.ndarray,
        own_labels: np.ndarray,
        bic: float | None = None,
        note: str = "",
    ) -> Clustering:
        """Labels the points by the rule and numbers the clusters by size, leaving out empty ones.

        Args:
            points: float32 [n, dim].
            rule: of the fitted algorithm.
            labelled: float32 [m, dim], the points that the algorithm labelled: all or a sample.
            own_labels: int64 [m], its labels; a cluster has the same number as in the rule.
            bic: see the attribute.
            note: see the attribute.
        """
        agreement = float(np.mean(rule.assign(labelled) == own_labels))
        labels = rule.assign(points)
        for _ in range(_NUMBERING_PASSES):
            sizes = _sizes(labels, rule.clusters)
            order = [k for k in np.argsort(-sizes, kind="stable").tolist() if sizes[k] > 0]
            if not order or order == list(range(rule.clusters)):
                break
            rule = rule.reordered(order)
            labels = rule.assign(points)
        return cls.numbered_as(points, rule, agreement, bic, note)

    @classmethod
    def numbered_as(
        cls,
        points: np.ndarray,
        rule: AssignmentRule,
        rule_agreement: float = 1.0,
        bic: float | None = None,
        note: str = "",
    ) -> Clustering:
        """Labels the points float32 [n, dim] by a rule whose numbers stand; see `of`."""
        labels = rule.assign(points)
        centroids = _centroids(points, labels, rule.clusters)
        inside = labels != NOISE
        residuals = (points[inside] - centroids[labels[inside]]).astype(np.float64)
        inertia = float(np.sum(residuals**2))
        return cls(rule, labels, centroids, inertia, rule_agreement, bic, note)

    @property
    def k(self) -> int:
        """The number of clusters."""
        return self.rule.clusters

    @property
    def sizes(self) -> list[int]:
        """Points per cluster; noise is in none."""
        return _sizes(self.labels, self.k).tolist()

    @property
    def noise(self) -> int:
        """Points that belong to no cluster."""
        return int(np.sum(self.labels == NOISE))

    def assign(self, points: np.ndarray) -> np.ndarray:
        """The cluster of any points of the space, int64 [n]; -1 for noise."""
        return self.rule.assign(points)


class ClusteringAlgorithm(abc.ABC):
    """One way to cluster points."""

    title: ClassVar[str]
    """Its name for people."""
    has_centroids: ClassVar[bool] = False
    """Whether it can go on from given centroids, in the next run."""
    finds_k: ClassVar[bool] = False
    """Whether the algorithm finds the number of clusters itself, and `fit` only bounds it."""

    def __init__(self, config: ClusteringConfig):
        """Takes its own settings from the configuration."""
        self.config = config

    def fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        """Clusters the points.

        Args:
            points: float32 [n, dim], preprocessed embeddings with at least k distinct rows.
            k: how many clusters, 1 <= k <= n; of an algorithm that finds the number itself, the
                most that are kept.
            seed: the same seed and points give the same clustering.
        """
        if len(points) == 1:
            return one_cluster(points)
        return self._fit(points, k, seed)

    @abc.abstractmethod
    def _fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        """`fit` of two points or more."""

    def _pairwise_sample(self, points: np.ndarray, seed: int) -> np.ndarray:
        """At most `pairwise_sample` points, for algorithms that look at all pairs of them."""
        size = self.config.pairwise_sample
        if len(points) <= size:
            return points
        chosen = np.random.default_rng(seed).choice(len(points), size, replace=False)
        return points[np.sort(chosen)]


def one_cluster(points: np.ndarray, own_label: int = 0, note: str = "") -> Clustering:
    """All points as one cluster around their mean.

    Args:
        points: float32 [n, dim].
        own_label: what the algorithm called all of them.
        note: see `Clustering`.
    """
    mean = points.mean(axis=0, keepdims=True, dtype=np.float64)
    rule = NearestPrototype.fitted([mean], points)
    return Clustering.of(points, rule, points, np.full(len(points), own_label), note=note)


def _sizes(labels: np.ndarray, clusters: int) -> np.ndarray:
    return np.bincount(labels[labels != NOISE], minlength=clusters)


def _centroids(points: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """Means float32 [K, dim]; zero for a cluster without a point."""
    means = np.zeros((clusters, points.shape[1]), np.float32)
    for k in np.unique(labels[labels != NOISE]):
        means[k] = points[labels == k].mean(axis=0, dtype=np.float64)
    return means
