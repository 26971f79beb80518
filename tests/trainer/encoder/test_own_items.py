"""Counts and recency of a user's own items."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.encoder.own_items import DAY, FEATURE_NAMES, OwnItems, RepeatBonus, summarise


def test_summary_of_a_window():
    # Newest first: item 7 bought on days 10, 8 and 2; item 3 on day 9; then padding.
    items = tf.constant([[7, 3, 7, 7, 0, 0]], tf.int32)
    times = tf.constant([[10, 9, 8, 2, 0, 0]], tf.int64) * int(DAY)
    own = summarise(items, times)
    by_item = {
        int(item): row
        for item, row in zip(own.item[0], own.features[0].numpy(), strict=True)
        if item
    }
    assert set(by_item) == {3, 7}
    interval = (10 - 2) / 2
    user = [np.log1p(2), np.log1p(4)]
    np.testing.assert_allclose(
        by_item[7],
        [np.log(3), 3 / 4, 0.0, 0.0, np.log1p(8), -np.log1p(interval), 1.0, *[0.0] * 3, *user],
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        by_item[3],
        [0.0, 1 / 4, np.log1p(1), np.log1p(1), *[0.0] * 6, *user],
        rtol=1e-5,
    )


def test_places_in_baskets():
    # Baskets in the order in which they were filled: (5, 6, 7, 8), (6, 5), (9); newest first.
    items = tf.constant([[9, 5, 6, 8, 7, 6, 5, 0]], tf.int32)
    times = tf.constant([[300, 200, 200, 100, 100, 100, 100, 0]], tf.int64)
    own = summarise(items, times)
    foremost, opened, before = (
        own.features.numpy()[0, :, FEATURE_NAMES.index(name)]
        for name in ("log_foremost_place", "log_times_first", "mean_share_before")
    )
    by_item = {int(i): place for place, i in enumerate(own.item[0]) if i}
    np.testing.assert_allclose(
        [foremost[by_item[i]] for i in (5, 6, 7, 8, 9)], np.log1p([0, 0, 2, 3, 0]), rtol=1e-6
    )
    np.testing.assert_allclose(
        [opened[by_item[i]] for i in (5, 6, 7, 8, 9)], np.log1p([1, 1, 0, 0, 0]), rtol=1e-6
    )
    np.testing.assert_allclose(
        [before[by_item[i]] for i in (5, 6, 7, 8, 9)], [1 / 2, 1 / 6, 2 / 3, 1, 0], rtol=1e-6
    )


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

    def table(own):
        return {
            int(i): tuple(f) for i, f in zip(own.item[0], own.features[0].numpy(), strict=True) if i
        }

    assert table(short) == table(padded)


def test_the_bonus_reads_the_statistics_of_the_items():
    bonus = RepeatBonus(3)
    bonus.build((None, 4))
    own = summarise(tf.constant([[1, 2, 3]]), tf.constant([[9, 9, 9]], tf.int64))
    own = OwnItems(own.item, tf.zeros_like(own.features))
    of_items = tf.random.normal([1, 3, 3], seed=1)
    before = bonus(tf.zeros([1, 4]), own, of_items).numpy()
    assert (before == before[0, 0]).all(), "without weight at the start"
    kernel = bonus.prior.kernel.numpy()
    kernel[-3:, 0] = [1.0, 2.0, 3.0]
    bonus.prior.kernel.assign(kernel)
    np.testing.assert_allclose(
        bonus(tf.zeros([1, 4]), own, of_items).numpy()[0] - before[0],
        of_items.numpy()[0] @ [1.0, 2.0, 3.0],
        rtol=1e-4,
    )
