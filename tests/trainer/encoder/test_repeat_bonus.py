"""What own items score: the curves, what is learnt beside the encoder, and a blend of both."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.data.item_statistics import STATISTICS
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.own_items import FEATURE_NAMES, summarise
from trainer.encoder.repeat_bonus import RepeatBonus
from trainer.encoder.repeat_curves import BINS, INPUTS, RepeatCurves

ITEMS = 6


@pytest.fixture
def own():
    """Two users: items 3, 1 and 3 on three days; item 9, which no catalogue here has."""
    items = tf.constant([[3, 1, 3, 0], [9, 0, 0, 0]], tf.int32)
    return summarise(items, tf.constant([[300, 200, 100, 0], [50, 0, 0, 0]], tf.int64) * 86_400)


@pytest.fixture
def statistics(own):
    return tf.random.normal([*own.item.shape, STATISTICS], seed=1)


def curves_with(heights):
    curves = RepeatCurves(ITEMS)
    curves.build()
    curves.heights.assign(heights)
    return curves


def test_new_curves_are_frequency_and_recency(own, statistics):
    odds = RepeatCurves(ITEMS)(own, statistics).numpy()
    features = own.features.numpy()
    expected = (
        features[..., FEATURE_NAMES.index("log_count")]
        - 0.3 * features[..., FEATURE_NAMES.index("log_position")]
        - 3.0
    )
    known = own.item.numpy() == 3
    np.testing.assert_allclose(odds[known], expected[known], rtol=1e-5)
    assert odds[1, 0] == 0.0, "an item beyond the catalogue has no score"
    assert (odds[own.item.numpy() == 0] == 0.0).all()


def test_a_curve_is_piecewise_linear():
    curves = curves_with(np.zeros((INPUTS, BINS)))
    knots, heights = curves.knots.numpy(), curves.heights.numpy()
    knots[0] = [0, 1, 1, 2, 3, 4, 5, 6, 7]  # of equal knots the piece between spans nothing
    heights[0] = [1.0, 50.0, -2.0, 0, 0, 0, 0, 4.0]
    curves.knots.assign(knots)
    curves.heights.assign(heights)
    inputs = np.zeros((6, INPUTS), np.float32)
    inputs[:, 0] = [-1.0, 0.5, 1.0, 1.5, 6.5, 99.0]
    np.testing.assert_allclose(
        curves.of(tf.constant(inputs)).numpy() + 3.0, [0.0, 0.5, 1.0, 0.0, 1.0, 3.0], atol=1e-6
    )


def test_the_network_reads_the_statistics_and_the_query(own, statistics):
    bonus = RepeatBonus(ITEMS)
    bonus.build((None, 4))
    query = tf.random.normal([2, 4], seed=2)
    at_start = bonus(query, own, statistics).numpy()
    odds = bonus.curves(own, statistics).numpy()
    known = own.item.numpy() == 3
    np.testing.assert_allclose(at_start[known], odds[known] + bonus.offset.numpy(), rtol=1e-5)
    bonus.out.kernel.assign(np.ones((bonus.hidden, 1)))
    trained = bonus(query, own, statistics).numpy()
    other = bonus(query, own, statistics + 1.0).numpy()
    another = bonus(query + 1.0, own, statistics).numpy()
    assert not np.allclose(trained[known], other[known])
    assert not np.allclose(trained[known], another[known])


def test_a_blend_leaves_the_encoder_out_as_far_as_it_says(own):
    catalogue = Catalogue(items=ITEMS, categories=0, own_items=True, width=4, blends=True)
    catalogue.build()
    catalogue.item_embedding.embeddings.assign(tf.random.normal([ITEMS + 2, 4], seed=3))
    bonus = catalogue.repeat_bonus
    assert bonus is not None
    bonus.offset.assign(1.5)
    query = tf.random.normal([2, 4], seed=4)
    with_share = {}
    for share in (0.0, 0.25, 1.0):
        bonus.encoder_share.assign(share)
        with_share[share] = catalogue.logits(query, own).numpy()
    item, _ = catalogue.own_bonus(query, own)
    odds = bonus.curves(own, catalogue.own_statistics(item, None)).numpy()
    found = with_share[0.0][0][item.numpy()[0]]
    known = item.numpy()[0] > 0
    np.testing.assert_allclose(found[known], odds[0][known] + 1.5, rtol=1e-4)
    np.testing.assert_allclose(
        with_share[0.25], 0.25 * with_share[1.0] + 0.75 * with_share[0.0], rtol=1e-4
    )
    # Who has no item of the catalogue has the encoder's scores alone.
    np.testing.assert_allclose(with_share[0.0][1], with_share[1.0][1], rtol=1e-6)


def test_blends_are_the_same_by_period(own):
    catalogue = Catalogue(
        items=ITEMS, categories=0, own_items=True, width=4, periods=2, blends=True
    )
    catalogue.build()
    assert catalogue.repeat_bonus is not None
    catalogue.repeat_bonus.encoder_share.assign(0.5)
    query = tf.random.normal([2, 4], seed=4)
    _, at_end = catalogue.own_bonus(query, own)
    _, in_last = catalogue.own_bonus(query, own, tf.constant([2, 2]))
    np.testing.assert_allclose(at_end.numpy(), in_last.numpy(), rtol=1e-5)


def test_larger_catalogues_take_the_weights_over(own, statistics):
    small, large = RepeatBonus(ITEMS, blends=True), RepeatBonus(ITEMS + 3)
    for bonus in (small, large):
        bonus.build((None, 4))
    rng = np.random.default_rng(0)
    small.curves.item_repeats.assign(rng.normal(size=(ITEMS + 1, 2)))
    small.curves.heights.assign(rng.normal(size=(INPUTS, BINS)))
    small.propensity.assign(rng.normal(size=ITEMS + 1))
    small.encoder_share.assign(0.25)
    large.take_from(small)
    query, logits = tf.zeros([2, 4]), tf.ones(own.item.shape)
    known = own.item.numpy() == 3
    np.testing.assert_allclose(
        small(query, own, statistics, logits).numpy()[known],
        large(query, own, statistics, logits).numpy()[known],
        rtol=1e-5,
    )
    assert large.blends


def test_saved_and_loaded(tmp_path):
    catalogue = Catalogue(items=ITEMS, categories=0, own_items=True, width=4, blends=True)
    catalogue.build()
    copy = Catalogue.from_config(keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(catalogue)
    ).get_config())  # fmt: skip
    assert copy.repeat_bonus.blends


def test_curves_are_not_trained():
    bonus = RepeatBonus(ITEMS)
    bonus.build((None, 4))
    trained = {weight.path.rsplit("/", 1)[-1] for weight in bonus.trainable_weights}
    assert not trained & {"knots", "heights", "intercept", "item_repeats", "offset"}
    assert "propensity" in trained
