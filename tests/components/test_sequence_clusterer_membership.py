"""NumPy and graph arithmetic of cluster membership agree."""

import json

import numpy as np
import pytest
import tensorflow as tf

from trainer import membership


@pytest.fixture
def embeddings():
    values = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    values[0] = 0.0
    return values


@pytest.mark.parametrize("normalize", [True, False])
def test_graph_equals_numpy(embeddings, normalize):
    centroids = np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
    geometry = membership.ClusterGeometry(centroids, 0.7, normalize)
    graph = tf.function(lambda x: membership.membership_in_graph(x, geometry))
    cluster_id, weights = graph(tf.constant(embeddings))
    assert cluster_id.dtype == tf.int64
    np.testing.assert_array_equal(cluster_id, membership.assign(embeddings, geometry))
    np.testing.assert_allclose(weights, membership.membership(embeddings, geometry), atol=1e-5)
    np.testing.assert_allclose(np.sum(weights, axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(np.argmax(weights, axis=1), cluster_id)


def test_distances(embeddings):
    centroids = embeddings[:3]
    expected = ((embeddings[:, None] - centroids[None]) ** 2).sum(axis=2)
    got = membership.squared_distances(embeddings, centroids)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_preprocess_leaves_zero_alone(embeddings):
    points = membership.preprocess(embeddings, normalize=True)
    assert not points[0].any()
    np.testing.assert_allclose(np.linalg.norm(points[1:], axis=1), 1.0, atol=1e-6)


def test_load(tmp_path):
    centroids = np.eye(2, 3, dtype=np.float32)
    np.save(tmp_path / "centroids.npy", centroids)
    description = {"temperature": 0.5, "preprocess": {"normalize": True}}
    (tmp_path / "clusters.json").write_text(json.dumps(description))
    geometry = membership.ClusterGeometry.load(str(tmp_path))
    np.testing.assert_array_equal(geometry.centroids, centroids)
    assert (geometry.temperature, geometry.normalize, geometry.clusters) == (0.5, True, 2)
