"""The weights of the global encoder and the specialists."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.clusters.mixture import mixture_weights, strongest


def test_weights_sum_to_one():
    weights = mixture_weights(tf.constant([[0.2, 0.8], [1.0, 0.0]]), tf.constant([0.5, 1.0]))
    np.testing.assert_allclose(weights, [[0.1, 0.1, 0.8], [0.5, 0.5, 0.0]], atol=1e-6)


def test_only_the_clusters_a_user_belongs_to_most_count():
    membership = np.array([[0.5, 0.1, 0.4], [0.2, 0.7, 0.1], [0.0, 0.0, 0.0]], np.float32)
    two = np.array([[0.5, 0.0, 0.4], [0.2, 0.7, 0.0], [0.0, 0.0, 0.0]], np.float32)
    np.testing.assert_array_equal(strongest(membership, 2), two)
    np.testing.assert_array_equal(strongest(membership, 1).numpy().sum(axis=1), membership.max(1))
    np.testing.assert_array_equal(strongest(membership, 3), membership)
