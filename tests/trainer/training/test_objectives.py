"""Full and sampled softmax agree."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import LabelConfig
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.own_items import summarise
from trainer.training.labelled_queries import LabelledQueries
from trainer.training.next_item_model import NextItemModel
from trainer.training.objectives import (
    full_softmax_loss,
    growing,
    looking_ahead,
    sampled_softmax_loss,
    target_weights,
)

WEIGHT = 0.4


@pytest.fixture(scope="module")
def catalogue():
    catalogue = Catalogue(items=50, categories=0, own_items=True, width=8)
    catalogue.build()
    rng = np.random.default_rng(0)
    catalogue.item_embedding.embeddings.assign(rng.normal(0, 0.5, (52, 8)))
    catalogue.item_bias.assign(rng.normal(0, 1, 51))
    return catalogue


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(1)
    query = tf.constant(rng.normal(0, 1, (6, 8)), tf.float32)
    items = tf.constant(rng.integers(0, 51, (6, 5)), tf.int32)
    own = summarise(items, tf.cast(rng.integers(0, 10**6, (6, 5)), tf.int64))
    targets = tf.constant([[3, 7, 0], [1, 0, 0], [50, 49, 2], [4, 0, 0], [9, 8, 0], [5, 6, 7]])
    return LabelledQueries(query, targets, [target_weights(targets, WEIGHT)], own)


def test_full_softmax_is_the_mean_log_probability_of_the_targets(catalogue, batch):
    log_p = tf.nn.log_softmax(catalogue.logits(batch.query, batch.own)).numpy()
    per_row = []
    for row, wanted in zip(log_p, batch.targets.numpy(), strict=True):
        first, others = row[wanted[0]], [row[t] for t in wanted[1:] if t]
        per_row.append(WEIGHT * first + (1 - WEIGHT) * np.mean(others) if others else first)
    assert float(full_softmax_loss(catalogue, batch)) == pytest.approx(-np.mean(per_row), rel=1e-5)


def test_weights_of_the_targets():
    targets = tf.constant([[3, 7, 5], [3, 0, 0], [0, 7, 0], [0, 0, 0]])
    np.testing.assert_allclose(
        target_weights(targets, 0.6), [[0.6, 0.2, 0.2], [1, 0, 0], [0, 1, 0], [0, 0, 0]], rtol=1e-6
    )
    # Nothing but the next item counts: a sample without a known one has no label.
    np.testing.assert_allclose(
        target_weights(targets, 1.0), [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]], rtol=1e-6
    )


def test_a_label_grows_with_its_basket():
    near = tf.constant([[0.25] * 4, [1.0, 0, 0, 0], [0.0] * 4])
    np.testing.assert_allclose(growing(near, 0.5), [[0.5] * 4, [1, 0, 0, 0], [0] * 4], rtol=1e-6)
    np.testing.assert_allclose(growing(near, 1.0), [[1.0] * 4, [1, 0, 0, 0], [0] * 4], rtol=1e-6)


@pytest.mark.parametrize("growth", [0.0, 0.5, 1.0])
def test_the_loss_of_a_basket_grows_as_the_setting_says(encoder, growth):
    label = LabelConfig(first_weight="even", later_items=0, basket_growth=growth)
    model = NextItemModel(encoder, label)
    targets = tf.constant([[3, 5, 7, 9]] * 2)
    predicted = {"query": tf.ones([2, encoder.tower.width]), "own": None, "period": None}
    loss = model.compute_loss(y=targets, y_pred={**predicted, "asked": None})
    alike = NextItemModel(encoder, label.model_copy(update={"basket_growth": 0.0}))
    before = alike.compute_loss(y=targets, y_pred={**predicted, "asked": None})
    assert float(loss) == pytest.approx(4**growth * float(before), rel=1e-5)


def test_looking_ahead_gives_a_share_to_known_later_items():
    near = tf.constant([[0.6, 0.4], [1.0, 0.0], [1.0, 0.0]])
    later = tf.constant([[5, 6, 7], [5, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(
        looking_ahead(near, later, 0.3),
        [[0.42, 0.28, 0.1, 0.1, 0.1], [0.7, 0, 0.3, 0, 0], [1, 0, 0, 0, 0]],
        rtol=1e-6,
    )


def test_sampled_softmax_over_everything_is_the_full_one(catalogue, batch):
    full = float(full_softmax_loss(catalogue, batch))
    # All items drawn: each expected count is one, so no correction remains.
    sampled = float(sampled_softmax_loss(catalogue, batch, samples=50))
    assert sampled == pytest.approx(full, rel=0.02)


def test_an_item_that_is_a_target_twice_counts_once_against_the_others(catalogue, batch):
    rows = len(batch.query)

    def loss(targets, weights, samples=10):
        tf.random.set_seed(7)
        targets, weights = (tf.constant([row] * rows) for row in (targets, weights))
        labelled = LabelledQueries(batch.query, targets, [weights], batch.own)
        return float(sampled_softmax_loss(catalogue, labelled, samples))

    once = loss([3, 5, 0, 0], [0.7, 0.3, 0.0, 0.0])
    assert loss([3, 5, 3, 3], [0.5, 0.3, 0.1, 0.1]) == pytest.approx(once, rel=1e-6)
    assert loss([3, 5, 4, 0], [0.7, 0.3, 0.0, 0.0]) > 1.001 * once


def test_sampled_softmax_approaches_the_full_one(catalogue, batch):
    full = float(full_softmax_loss(catalogue, batch))
    draws = [float(sampled_softmax_loss(catalogue, batch, samples=25)) for _ in range(200)]
    assert np.mean(draws) == pytest.approx(full, rel=0.1)
