"""Cluster membership of embeddings: one arithmetic, in NumPy and in a TensorFlow graph.

The clusterer assigns training examples with the NumPy form; an exported model repeats it with the
graph form, so that a user is in the same cluster when training and when serving.
"""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import tensorflow as tf

CENTROIDS_FILE = "centroids.npy"
CLUSTERS_FILE = "clusters.json"

_SMALLEST_NORM = 1e-12


@dataclasses.dataclass(frozen=True)
class ClusterGeometry:
    """What assigning an embedding needs.

    Attributes:
        centroids: float32 [K, dim], in the space that `preprocess` leads to.
        temperature: > 0; membership is softmax(-squared distance / temperature).
        normalize: whether embeddings are scaled to length one first.
    """

    centroids: np.ndarray
    temperature: float
    normalize: bool

    @property
    def clusters(self) -> int:
        """K, the number of clusters."""
        return len(self.centroids)

    @classmethod
    def load(cls, directory: str) -> ClusterGeometry:
        """Reads it from a ClusterModel artifact.

        Args:
            directory: the artifact's uri, with `centroids.npy` and `clusters.json`.

        Raises:
            tf.errors.NotFoundError: one of the two files is missing.
        """
        root = directory.rstrip("/")
        with tf.io.gfile.GFile(f"{root}/{CENTROIDS_FILE}", "rb") as file:
            centroids = np.load(io.BytesIO(file.read()))
        with tf.io.gfile.GFile(f"{root}/{CLUSTERS_FILE}", "r") as file:
            description = json.loads(file.read())
        return cls(
            centroids=centroids.astype(np.float32),
            temperature=float(description["temperature"]),
            normalize=bool(description["preprocess"]["normalize"]),
        )


def preprocess(embeddings: np.ndarray, normalize: bool) -> np.ndarray:
    """Brings embeddings into the space of the centroids.

    Args:
        embeddings: [n, dim].
        normalize: scale each to length one; a zero vector stays zero.

    Returns:
        float32 [n, dim].
    """
    points = np.asarray(embeddings, dtype=np.float32)
    if not normalize:
        return points
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.maximum(norms, _SMALLEST_NORM)


def squared_distances(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances, float32 [n, K], of preprocessed points to the centroids."""
    squares = (
        np.sum(points**2, axis=1, keepdims=True)
        - 2.0 * (points @ centroids.T)
        + np.sum(centroids**2, axis=1)
    )
    return np.maximum(squares, 0.0).astype(np.float32)


def assign(embeddings: np.ndarray, geometry: ClusterGeometry) -> np.ndarray:
    """The nearest cluster, int64 [n], of raw embeddings [n, dim]; ties go to the lower number."""
    points = preprocess(embeddings, geometry.normalize)
    return np.argmin(squared_distances(points, geometry.centroids), axis=1).astype(np.int64)


def membership(embeddings: np.ndarray, geometry: ClusterGeometry) -> np.ndarray:
    """Soft membership, float32 [n, K] with rows that sum to one, of raw embeddings [n, dim]."""
    points = preprocess(embeddings, geometry.normalize)
    logits = -squared_distances(points, geometry.centroids) / geometry.temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def membership_in_graph(
    embeddings: tf.Tensor, geometry: ClusterGeometry
) -> tuple[tf.Tensor, tf.Tensor]:
    """`assign` and `membership` with TensorFlow ops, for an exported graph.

    Args:
        embeddings: [batch, dim], any float type.
        geometry: becomes constants of the graph.

    Returns:
        cluster_id int64 [batch] and membership float32 [batch, K].
    """
    points = tf.cast(embeddings, tf.float32)
    if geometry.normalize:
        norms = tf.norm(points, axis=1, keepdims=True)
        points = points / tf.maximum(norms, _SMALLEST_NORM)
    centroids = tf.constant(geometry.centroids, tf.float32)
    squares = tf.maximum(
        tf.reduce_sum(points**2, axis=1, keepdims=True)
        - 2.0 * tf.matmul(points, centroids, transpose_b=True)
        + tf.reduce_sum(centroids**2, axis=1),
        0.0,
    )
    cluster_id = tf.argmin(squares, axis=1, output_type=tf.int64)
    return cluster_id, tf.nn.softmax(-squares / geometry.temperature, axis=1)
