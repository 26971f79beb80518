"""Neighbours of a user's latest items are raised, those that he had not."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.encoder.catalogue import Catalogue
from trainer.encoder.catalogue_forms import as_of_log_end, with_features_folded_in
from trainer.encoder.item_neighbours import HALF_LIFE, NEIGHBOURS, ItemNeighbours
from trainer.encoder.own_items import summarise

ITEMS = 30
DAY = 86_400
HISTORIES = [
    [(5, 3), (2, 3), (5, 2), (9, 1), (31, 1)],  # 31 is unknown
    [(7, 1)],
    [],
]
"""Item and day of each event, newest first."""


@pytest.fixture
def layer():
    rng = np.random.default_rng(0)
    made = ItemNeighbours(ITEMS, used=True)
    made.build()
    near = np.zeros((ITEMS + 1, NEIGHBOURS), np.int64)
    similar = np.zeros(near.shape)
    for item in range(1, ITEMS + 1):
        count = int(rng.integers(1, NEIGHBOURS))
        others = [other for other in range(1, ITEMS + 1) if other != item]
        near[item, :count] = rng.choice(others, count, replace=False)
        similar[item, :count] = 1 / count
    made.set_neighbours(near, similar)
    made.weight.assign(0.7)
    made.floor.assign(0.02)
    return made


def own_items():
    length = max(map(len, HISTORIES))
    item, day = np.zeros((2, len(HISTORIES), length), np.int64)
    for row, history in enumerate(HISTORIES):
        for place, event in enumerate(history):
            item[row, place], day[row, place] = event
    return summarise(tf.constant(item, tf.int32), tf.constant(day * DAY))


def expected(layer: ItemNeighbours, history: list[tuple[int, int]]) -> np.ndarray:
    """The bonus of each item, by hand."""
    days = sorted({day for _, day in history}, reverse=True)
    latest: dict[int, int] = {}
    for item, day in history:
        latest.setdefault(item, days.index(day))
    scores = np.zeros(ITEMS + 1)
    for item, ago in latest.items():
        if item > ITEMS:
            continue
        for near, similar in zip(layer.neighbours[item], layer.similarities[item], strict=True):
            scores[int(near)] += 0.5 ** (ago / HALF_LIFE) * float(similar)
    scores[[0, *(item for item in latest if item <= ITEMS)]] = 0.0
    return 0.7 * np.log(1 + scores / 0.02)


def test_the_bonus_equals_a_count_by_hand(layer):
    item, bonus = layer(own_items())
    found = np.zeros((len(HISTORIES), ITEMS + 1))
    rows = np.broadcast_to(np.arange(len(HISTORIES))[:, None], item.shape)
    np.add.at(found, (rows, item.numpy()), bonus.numpy())
    by_hand = np.stack([expected(layer, history) for history in HISTORIES])
    np.testing.assert_allclose(found[:, 1:], by_hand[:, 1:], rtol=1e-5)
    assert (by_hand[0] > 0).sum() > 5
    assert not by_hand[2].any()


def test_each_item_is_raised_once(layer):
    item, _ = layer(own_items())
    for row in item.numpy():
        raised = row[row > 0]
        assert len(raised) == len(set(raised.tolist()))


def test_only_the_latest_items_count(layer):
    count = 100
    items = tf.constant(np.arange(count)[None] % ITEMS + 1, tf.int32)
    times = tf.constant(-np.arange(count)[None] * DAY, tf.int64)
    wide = ItemNeighbours(count, used=True)
    wide.build()
    near = np.zeros((count + 1, NEIGHBOURS), np.int64)
    near[70, 0] = 99  # of the 70th item from the end nothing is asked
    similar = np.where(near > 0, 1.0, 0.0)
    wide.set_neighbours(near, similar)
    own = summarise(tf.range(1, count + 1)[None], times)
    assert not wide.scores(own)[1].numpy().any()
    assert layer.scores(summarise(items, times))[1].shape[1] <= 64 * NEIGHBOURS


@pytest.fixture
def catalogue(layer):
    made = Catalogue(ITEMS, 0, True, 8, neighbours=True)
    made.build()
    assert made.neighbours is not None
    made.neighbours.take_from(layer)
    return made


def test_scores_of_the_catalogue_have_the_bonus(catalogue, layer):
    own, query = own_items(), tf.random.normal([3, 8], seed=1)
    raised = catalogue.logits(query, own).numpy()
    catalogue.neighbours.used = False
    by_hand = np.stack([expected(layer, history) for history in HISTORIES])
    np.testing.assert_allclose(
        (raised - catalogue.logits(query, own).numpy())[:, 1:], by_hand[:, 1:], atol=1e-5
    )


def test_what_is_saved_and_served_keeps_them(catalogue):
    for other in (
        as_of_log_end(catalogue),
        with_features_folded_in(catalogue, np.zeros((3, 0), np.float32), np.array([1, 2])),
    ):
        assert other.neighbours is not None
        assert other.neighbours.used
        mine = other.neighbours.neighbours.numpy()
        np.testing.assert_array_equal(mine[: ITEMS + 1], catalogue.neighbours.neighbours)
        assert not mine[ITEMS + 1 :].any()
        assert float(other.neighbours.weight) == pytest.approx(0.7)
    assert Catalogue.from_config(catalogue.get_config()).neighbours.used
