"""Statistics of items as of points in time, and scores that follow them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.config import LabelConfig
from trainer.data import features, item_statistics
from trainer.data.histories import Histories
from trainer.data.item_statistics import OPENING, POPULARITY, TREND, ItemStatistics
from trainer.data.sampling import SampleBatches
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower
from trainer.encoder.own_items import summarise
from trainer.training.labelled_queries import LabelledQueries
from trainer.training.next_item_model import NextItemModel
from trainer.training.objectives import full_softmax_loss, softmax_loss

DAY = 86_400


def histories(items, days, splits=None):
    columns = {name: np.zeros(len(items), np.int32) for name in features.EVENT_COLUMNS}
    columns |= {"item": np.array(items, np.int32), "time": np.array(days, np.int64) * DAY}
    splits = np.array(splits or [0, len(items)])
    nothing = np.zeros(len(splits), np.int64)
    return Histories(columns, splits, np.zeros(0, np.int32), nothing, nothing[:-1])


def statistics_of(*args, items=4, has_time=True):
    return ItemStatistics.of(histories(*args), items, has_time=has_time)


def test_each_point_knows_what_came_before_it_only():
    # A period is two days: item 1 sells throughout, item 2 in the first half, item 3 in the second.
    days = np.arange(52)
    items = np.where(days % 2 == 0, 1, np.where(days < 26, 2, 3))
    whole, half = statistics_of(items, days), statistics_of(items[:26], days[:26])
    assert whole.periods == 26
    np.testing.assert_allclose(np.diff(whole.starts), 2 * DAY, rtol=0.03)
    assert not whole.table[0].any()
    assert not whole.table[:, 0].any()
    # By the middle nothing of the second half is known.
    np.testing.assert_allclose(
        whole.table[13, :, POPULARITY], half.table[-1, :, POPULARITY], rtol=1e-6
    )
    _, always, before, since, never = whole.table[-1, :, TREND]
    assert before < always < since
    # Four events of late, none of them theirs.
    assert before == never == pytest.approx(np.log(4 / (4 + 4)), rel=1e-5)
    # 52 events of 4 items, 26 of item 1; of the last four events item 3 has two.
    assert whole.table[-1, 1, POPULARITY] == pytest.approx(np.log(4 * 27 / 56))
    rate = 14 / 56
    assert since == pytest.approx(np.log((2 + 4 * rate) / ((4 + 4) * rate)), rel=1e-5)


def test_each_event_of_an_instant_may_have_opened_it():
    # Two histories of three events; the second one begins at the time at which the first one ended.
    found = statistics_of([1, 2, 1, 3, 1, 2], [5, 5, 9, 9, 9, 10], [0, 3, 6], has_time=False)
    assert found.periods == 0
    assert found.table.shape == (1, 5, 3)
    usual = 4 / 6
    opened, sold = np.array([2, 1.5, 0.5, 0]), np.array([3, 2, 1, 0])
    np.testing.assert_allclose(
        found.table[0, 1:, OPENING], np.log((opened + usual) / ((sold + 1) * usual)), rtol=1e-5
    )


def test_unknown_items_do_not_count():
    clean = statistics_of([1, 2, 1, 3], [0, 9, 20, 40])
    dirty = statistics_of([1, 2, 5, 1, 3], [0, 9, 15, 20, 40])
    np.testing.assert_array_equal(dirty.table, clean.table)


def test_a_large_catalogue_has_fewer_periods_or_none(monkeypatch):
    monkeypatch.setattr(item_statistics, "MOST_CELLS", 50)
    assert statistics_of([1, 2, 1, 3], [0, 9, 20, 40], items=4).periods == 10
    assert statistics_of([1, 2, 1, 3], [0, 9, 20, 40], items=20).periods == 0


@pytest.fixture
def catalogue():
    keras.utils.set_random_seed(4)
    rng = np.random.default_rng(4)
    made = Catalogue(items=6, categories=0, own_items=True, width=8, periods=3)
    made.build()
    made.set_statistics(
        np.arange(7), ItemStatistics(np.array([10, 20, 30, 40]), rng.normal(0, 1, (4, 7, 3))), None
    )
    made.item_embedding.embeddings.assign(rng.normal(0, 1, (8, 8)))
    for weight in made.repeat_bonus.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    made.trend_weight.assign(0.7)
    return made


def test_a_time_belongs_to_the_period_that_it_is_in(catalogue):
    times = tf.constant([-(2**40), 9, 10, 19, 20, 39, 40, 2**40], tf.int64)
    assert catalogue.biases.trend.period_of(times).numpy().tolist() == [0, 0, 0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize("sampled", [None, 6], ids=["full", "sampled"])
def test_the_loss_is_that_of_the_time_of_the_target(catalogue, sampled):
    """Each row's loss equals that of a catalogue that knows its period's statistics alone."""

    rng = np.random.default_rng(5)
    query = tf.constant(rng.normal(0, 1, (4, 8)), tf.float32)
    own_item = tf.constant([[1, 2, 0], [3, 3, 5], [6, 0, 0], [2, 4, 6]], tf.int32)
    times = tf.constant(rng.integers(0, 9, (4, 3)), tf.int64)
    targets = tf.constant([[2], [5], [1], [6]], tf.int32)

    def loss(given, rows, period):
        batch = LabelledQueries(
            query[rows],
            targets[rows],
            [tf.ones([len(range(4)[rows]), 1])],
            own=summarise(own_item[rows], times[rows]),
            period=period,
        )
        return float(softmax_loss(given, batch, sampled))

    near = {"rel": 0.04, "abs": 1e-3} if sampled else {"rel": 1e-5}
    together = loss(catalogue, slice(0, 4), tf.constant([0, 1, 2, 3]))
    alone = []
    for row in range(4):
        then = Catalogue(items=6, categories=0, own_items=True, width=8)
        then.build()
        then.item_embedding.set_weights(catalogue.item_embedding.get_weights())
        then.repeat_bonus.set_weights(catalogue.repeat_bonus.get_weights())
        statistics = catalogue.item_statistics.numpy()[row]
        then.item_statistics.assign(statistics[None])
        then.item_bias.assign(catalogue.item_bias + 0.7 * statistics[:, 2])
        alone.append(loss(then, slice(row, row + 1), None))
    # All six items are drawn: the sampled loss is the full one but for an estimated correction.
    assert together == pytest.approx(
        np.mean(alone), rel=0.04 if sampled else 1e-5, abs=1e-3 if sampled else 0
    )
    assert np.std(alone) > 0.1
    # And without a period it is that of the end of the log.
    last = slice(3, 4)
    end, of_last = loss(catalogue, last, None), loss(catalogue, last, tf.constant([3]))
    assert end == pytest.approx(of_last, **near)
    if not sampled:
        assert end == pytest.approx(alone[3], rel=1e-5)


def test_the_trend_is_learnt(catalogue):
    with tf.GradientTape() as tape:
        batch = LabelledQueries(
            tf.zeros([2, 8]),
            tf.constant([[1], [4]]),
            [tf.ones([2, 1])],
            period=tf.constant([1, 2]),
        )
        loss = full_softmax_loss(catalogue, batch)
    slope = float(tape.gradient(loss, catalogue.trend_weight.value))
    trend = catalogue.item_statistics.numpy()[..., 2]
    bias = catalogue.item_bias.numpy()
    expected = []
    for period, target in ((1, 1), (2, 4)):
        scores = (bias + 0.7 * trend[period])[1:]
        share = np.exp(scores) / np.exp(scores).sum()
        expected.append(share @ trend[period, 1:] - trend[period, target])
    assert slope == pytest.approx(np.mean(expected), rel=1e-4)


def test_training_knows_when_its_targets_were_taken():
    given = histories([1, 2, 3, 4, 1, 2], [0, 9, 20, 31, 40, 51])
    statistics = ItemStatistics.of(given, 4, has_time=True)
    keras.utils.set_random_seed(6)
    catalogue = Catalogue(items=4, categories=0, own_items=False, width=8, periods=26)
    tower = EventTower(
        actions=0,
        use_time=True,
        use_price=False,
        width=8,
        layers=1,
        heads=2,
        feedforward=16,
        dropout=0.0,
        max_events=4,
    )
    model = NextItemModel(BehaviorEncoder(catalogue, tower, False, 0), LabelConfig())
    model.build()
    catalogue.set_statistics(np.ones(5), statistics, None)
    batches = SampleBatches(
        given, items=4, batch_size=8, samples_per_epoch=8, max_targets=1, later_items=0,
        max_events=4, own_events=0, seed=0,
    )  # fmt: skip
    days = dict(zip([2, 3, 4], [9, 20, 31], strict=True))
    for inputs, targets in batches.dataset().take(batches.steps_per_epoch):
        outputs = model(inputs)
        for window, period, target in zip(
            inputs["item"].numpy(), outputs["period"].numpy(), targets.numpy()[:, 0], strict=True
        ):
            if window[0] and (window > 0).sum() < 4:
                assert period == days[int(target)] * 26 // 51
        loss = float(model.compute_loss(inputs, targets, outputs))
        assert loss != float(model.compute_loss(inputs, targets, {**outputs, "period": None}))
