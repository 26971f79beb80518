"""Transform: what the features are, and that training and serving see the same."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.helpers.raw_histories import DAY, raw_history
from trainer.data import features
from trainer.data.histories import read_histories
from trainer.data.history_transform import HistoryTransform


def transformed(shop, record: bytes) -> dict[str, np.ndarray]:
    parsed = tf.io.parse_example([record], HistoryTransform(shop.graph).spec)
    out = shop.graph.transform_features_layer()(parsed)
    return {name: value.values.numpy() for name, value in out.items()}


def test_indices_times_and_amounts(tiny_shop):
    monday = 4 * DAY
    out = transformed(
        tiny_shop,
        raw_history(
            item_ids=["item,001", "unheard of", "item,001"],
            actions=["buy", "view", "gift"],
            timestamps=[monday, monday + 3600 * 5, monday + 3600 * 5 + 8 * DAY],
            prices=[-1.0, 5.0, 1e9],
            categories=["", "c1", "new"],
        ),
    )
    assert out["item"][0] == out["item"][2] <= 20
    assert out["item"][1] == 21
    assert out["category"][0] == 0
    assert 1 <= out["category"][1] <= 3 < out["category"][2]
    assert out["action"].tolist() == [1, 2, 3]  # buy is more frequent; gift is unknown
    assert out["gap"].tolist() == [0, 6, 11]
    assert out["hour"].tolist() == [1, 6, 6]
    assert out["weekday"].tolist() == [1, 1, 2]
    assert out["price"][0] == 0.0
    assert out["price"][2] == 5.0
    assert out["quantity"].tolist() == [0.0, 0.0, 0.0]


def test_most_frequent_item_comes_first(tiny_shop):
    histories = read_histories(tiny_shop.train, tiny_shop.graph)
    counts = np.bincount(histories.columns["item"])[1:]
    assert (np.diff(counts) <= 0).all()


def test_vocabulary_and_moments_come_from_the_training_split_only(tiny_shop):
    vocabulary = {i.decode() for i in tiny_shop.graph.vocabulary_by_name("items")}
    assert vocabulary == {f"item,{i:03d}" for i in range(20)}


def test_no_skew_between_training_columns_and_the_served_graph(tiny_shop):
    """Columns read in batches for training equal those of single requests."""

    histories = read_histories(tiny_shop.validation, tiny_shop.graph)
    for user in (0, 7, 59):
        alone = transformed(tiny_shop, tiny_shop.raw[user])
        events = slice(histories.splits[user], histories.splits[user + 1])
        for name in features.EVENT_COLUMNS:
            np.testing.assert_allclose(histories.columns[name][events], alone[name], rtol=1e-6)
        assert histories.next_item[user] == alone[features.TARGET][0]


def test_a_graph_is_loaded_once_for_the_same_new_items(tiny_shop):
    transform = HistoryTransform.of(tiny_shop.graph)
    assert HistoryTransform.of(tiny_shop.graph) is transform
    assert HistoryTransform.of(tiny_shop.graph, ["new"]).item_ids[-1] == b"new"
    assert transform.item_ids[-1] != b"new"
