"""Lists of items: what is among them, and what their numbers add up to."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.item_lists import among, summed


def test_sums_equal_a_count_by_hand():
    rng = np.random.default_rng(0)
    item, value = rng.integers(0, 6, (20, 15)), rng.random((20, 15))
    _, once, sums = summed(tf.constant(item, tf.int32), tf.constant(value, tf.float32))
    for row in range(20):
        found = dict(zip(once[row].numpy().tolist(), sums[row].numpy().tolist(), strict=True))
        for wanted in set(item[row].tolist()) - {0}:
            assert found[wanted] == pytest.approx(value[row][item[row] == wanted].sum(), rel=1e-5)
        kept = [i for i in once[row].numpy().tolist() if i]
        assert len(kept) == len(set(kept))


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 4)])
def test_nothing_adds_up_to_nothing(shape):
    for found in summed(tf.zeros(shape, tf.int32), tf.zeros(shape)):
        assert found.shape == shape
    assert among(tf.zeros(shape, tf.int32), tf.zeros([shape[0], 2], tf.int32)).shape == shape


def test_what_is_among_others():
    items, listed = tf.constant([[1, 2, 3], [4, 0, 9]]), tf.constant([[2, 3], [4, 7]])
    assert among(items, listed).numpy().tolist() == [[False, True, True], [True, True, False]]
