"""Counts and recency of a user's own items."""

from __future__ import annotations

import numpy as np


def test_summary_of_a_window():
    import tensorflow as tf

    from trainer.own_items import DAY, summarise

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
    np.testing.assert_allclose(
        by_item[7],
        [np.log(3), 3 / 4, 0.0, 0.0, np.log1p(8), -np.log1p(interval), 1.0],
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        by_item[3], [0.0, 1 / 4, np.log1p(1), np.log1p(1), 0.0, 0.0, 0.0], rtol=1e-5
    )


def test_times_in_any_order_stay_finite():
    import tensorflow as tf

    from trainer.own_items import summarise

    times = tf.constant([[0, 2**62, -(2**62)]], tf.int64)
    own = summarise(tf.constant([[1, 1, 2]], tf.int32), times)
    assert np.isfinite(own.features.numpy()).all()


def test_padding_does_not_change_the_summary():
    import tensorflow as tf

    from trainer.own_items import summarise

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
