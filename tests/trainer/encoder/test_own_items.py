"""Counts and recency of a user's own items."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.encoder.own_items import ACTIONS, BY_ACTION, DAY, FEATURE_NAMES, SHARES, summarise


def named_features(own):
    """Item to its features by name, of the only user."""
    return {
        int(item): dict(zip(FEATURE_NAMES, row.tolist(), strict=True))
        for item, row in zip(own.item[0], own.features[0].numpy(), strict=True)
        if item
    }


def test_summary_of_a_window():
    # Newest first: item 7 bought on days 10, 8 and 2; item 3 on day 9; then padding.
    items = tf.constant([[7, 3, 7, 7, 0, 0]], tf.int32)
    times = tf.constant([[10, 9, 8, 2, 0, 0]], tf.int64) * int(DAY)
    own = summarise(items, times)
    by_item = named_features(own)
    assert set(by_item) == {3, 7}
    user = {"log_users_items": np.log1p(2), "log_users_instants": np.log1p(4)}
    expected = {
        7: {
            "log_count": np.log(3),
            "share_of_window": 3 / 4,
            "log_span": np.log1p(8),
            "overdue": -np.log1p((10 - 2) / 2),
            "repeated": 1.0,
            "log_interval": np.log1p(3 / 2),
            "overdue_instants": -np.log1p(3 / 2),
            "rate_since_first": 3 / 4,
            **user,
        },
        3: {
            "share_of_window": 1 / 4,
            "log_position": np.log1p(1),
            "log_age": np.log1p(1),
            "log_instants_ago": np.log1p(1),
            "rate_since_first": 1 / 2,
            **user,
        },
    }
    for item, known in expected.items():
        for name in set(FEATURE_NAMES) - set(SHARES) - set(BY_ACTION):
            assert by_item[item][name] == pytest.approx(known.get(name, 0.0), rel=1e-5), name


def test_decayed_shares_by_hand():
    # Newest first: a basket of items 1 and 2 (twice) on day 7; item 2 alone on day 0.
    items = tf.constant([[1, 2, 2, 2, 0]], tf.int32)
    times = tf.constant([[7, 7, 7, 0, 0]], tf.int64) * int(DAY)
    by_item = named_features(summarise(items, times))
    older = 0.5 ** (1 / 5)
    assert by_item[1]["share_5_instants"] == pytest.approx(1 / (1 + older))
    assert by_item[2]["share_5_instants"] == pytest.approx(1.0)
    assert by_item[1]["share_7_days"] == pytest.approx(1 / (1 + 0.5))
    # The basket of three events weighs a third.
    assert by_item[1]["share_5_small"] == pytest.approx((1 / 3) / (1 / 3 + older))
    assert by_item[2]["share_5_small"] == pytest.approx(1.0)


def test_shares_of_a_very_long_history_stay_numbers():
    items = tf.constant([[1] * 300 + [2]], tf.int32)
    times = tf.constant([np.arange(301)[::-1] * 10**8], tf.int64)
    assert np.isfinite(summarise(items, times).features.numpy()).all()


def test_actions_are_told_apart():
    # Newest first: 5 viewed (1), 6 put into the cart (2), 5 bought (3), 5 viewed; an action beyond
    # those that are told apart.
    items = tf.constant([[5, 6, 5, 5, 6, 0]], tf.int32)
    times = tf.constant([[400, 300, 200, 100, 50, 0]], tf.int64)
    actions = tf.constant([[1, 2, 3, 1, ACTIONS + 1, 0]], tf.int32)
    by_item = named_features(summarise(items, times, actions))
    of_actions = {item: [known[name] for name in BY_ACTION] for item, known in by_item.items()}
    assert of_actions[5] == pytest.approx([np.log(3), 0, np.log(2), 0, 1, 0, 1 / 3, 0])
    assert of_actions[6] == pytest.approx([0, np.log(2), 0, 0, 0, 1 / 2, 0, 0])
    untold = named_features(summarise(items, times))
    assert all(untold[item][name] == 0.0 for item in (5, 6) for name in BY_ACTION)
    for item, known in untold.items():
        same = set(FEATURE_NAMES) - set(BY_ACTION)
        assert {name: known[name] for name in same} == {n: by_item[item][n] for n in same}


def test_times_in_any_order_stay_finite():
    times = tf.constant([[0, 2**62, -(2**62)]], tf.int64)
    own = summarise(tf.constant([[1, 1, 2]], tf.int32), times)
    assert np.isfinite(own.features.numpy()).all()


def test_padding_does_not_change_the_summary():
    items = np.array([[5, 2, 5]], np.int32)
    times = np.array([[300, 200, 100]], np.int64)
    short = summarise(tf.constant(items), tf.constant(times))
    padded = summarise(
        tf.constant(np.pad(items, [(0, 0), (0, 4)])), tf.constant(np.pad(times, [(0, 0), (0, 4)]))
    )
    alone = named_features(short)
    for item, known in named_features(padded).items():
        assert known == pytest.approx(alone[item], rel=1e-5)
    assert named_features(padded).keys() == alone.keys()
