"""The lean cross-entropy and its gradients are those of TensorFlow's own."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.training.softmax import catalogue_cross_entropy


def plain(query, table, targets, weights, item=None, bonus=None):
    scores = tf.matmul(query, table, transpose_b=True)
    if item is not None:
        spread = tf.one_hot(item, table.shape[0]) * bonus[:, :, None]
        scores += tf.reduce_sum(spread, axis=1)
    log_p = tf.nn.log_softmax(scores)
    return -tf.reduce_sum(weights * tf.gather(log_p, targets, batch_dims=1), axis=1)


@pytest.mark.parametrize("with_bonus", [False, True])
def test_losses_and_gradients(with_bonus):
    rng = np.random.default_rng(2)
    query = tf.Variable(rng.normal(0, 1, (4, 5)), dtype=tf.float32)
    table = tf.Variable(rng.normal(0, 2, (9, 5)), dtype=tf.float32)
    targets = tf.constant([[3, 7], [1, 0], [1, 2], [0, 0]], tf.int32)
    weights = tf.constant([[0.5, 0.5], [1, 0], [0.2, 0.8], [0, 0]], tf.float32)
    bonus = tf.Variable(rng.normal(0, 1, (4, 3)), dtype=tf.float32)
    extra = (tf.constant([[3, 5, 6], [0, 2, 4], [2, 8, 7], [1, 3, 0]]), bonus) if with_bonus else ()
    variables = [query, table, bonus] if with_bonus else [query, table]
    outcomes = []
    for loss_of in (catalogue_cross_entropy, plain):
        with tf.GradientTape() as tape:
            losses = loss_of(query, table, targets, weights, *extra)
            # Different upstream gradients for the rows.
            total = tf.reduce_sum(losses * tf.constant([1.0, -2.0, 0.5, 3.0]))
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total, variables)]
        outcomes.append([losses, *gradients])
    for lean, expected in zip(*outcomes, strict=True):
        np.testing.assert_allclose(lean, expected, rtol=1e-4, atol=1e-5)
    assert outcomes[0][0][3] == 0.0


def test_large_scores_do_not_overflow():
    table = tf.constant([[1000.0], [999.0], [-1000.0]])
    losses = catalogue_cross_entropy(
        tf.constant([[1.0]]), table, tf.constant([[1]]), tf.constant([[1.0]])
    )
    assert float(losses[0]) == pytest.approx(1.0 + np.log1p(np.exp(-1.0)), rel=1e-4)
