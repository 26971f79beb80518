"""What follows what, counted by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.item_histories import histories
from trainer.data import item_transitions
from trainer.data.item_transitions import FOLLOWERS, TransitionBonus, count_transitions


def strength(found, item, follower):
    return float(found.strengths[item][found.followers[item] == follower].sum())


def relative(weight, followed, popularity):
    """S of the module's docstring, up to the factor that makes the largest 1."""
    return weight / (followed + 50) / np.sqrt(popularity + 10)


def random_log(users, items):
    """Histories of 20 events, some at the same time, some of an unknown item."""
    rng = np.random.default_rng(0)
    times = [np.cumsum(rng.integers(0, 2, 20)) for _ in range(users)]
    return histories(*rng.integers(1, items + 2, (users, 20)).tolist(), times=times)


def test_counts_by_hand():
    found = count_transitions(histories([1, 2, 3], [1, 2]), items=3)
    near, far = 1.0, np.exp(-1 / 5)
    # 1 was followed by 2 twice and, one event later, by 3; 2 by 3. Popularity counts first items.
    one_two = relative(2 * near, 2 * near + far, 2)
    one_three = relative(far, 2 * near + far, 1)
    two_three = relative(near, near, 1)
    assert strength(found, 1, 2) == 1.0
    assert strength(found, 1, 3) == pytest.approx(one_three / one_two, rel=1e-3)
    assert strength(found, 2, 3) == pytest.approx(two_three / one_two, rel=1e-3)
    assert not found.strengths[3].any()
    assert not found.strengths[0].any()
    assert not found.followers[0].any()


def test_a_basket_has_no_order_and_shares_one():
    # 1, then 2 and 3 at once: neither follows the other, and each is half of what follows 1.
    both = count_transitions(histories([1, 2, 3], times=[np.array([0, 5, 5])]), items=3)
    assert strength(both, 2, 3) == strength(both, 3, 2) == 0
    assert strength(both, 1, 2) == strength(both, 1, 3) == 1.0
    # Against an item that follows alone, half the weight.
    alone = [np.array([0, 5, 5]), np.array([0, 5])]
    found = count_transitions(histories([1, 2, 3], [1, 4], times=alone), items=4)
    ratio = relative(0.5, 2, 0.5) / relative(1, 2, 1)
    assert strength(found, 1, 2) / strength(found, 1, 4) == pytest.approx(ratio, rel=1e-3)


def test_unknown_items_neither_follow_nor_are_followed():
    found = count_transitions(histories([9, 1, 9, 2]), items=2)
    assert strength(found, 1, 2) == 1.0
    assert set(found.followers.ravel()) == {0, 2}


def test_only_the_strongest_are_kept():
    often = [[1, 2]] * 3
    others = [[1, item] for item in range(3, FOLLOWERS + 5)]
    found = count_transitions(histories(*often, *others), items=FOLLOWERS + 4)
    assert found.followers[1][0] == 2
    assert (found.followers[1] > 0).all()
    assert found.followers.shape == (FOLLOWERS + 5, FOLLOWERS)


@pytest.mark.parametrize("at_once", [1, 500, 3000])
def test_blocks_of_any_size_count_alike(monkeypatch, at_once):
    log = random_log(users=40, items=60)
    whole = count_transitions(log, 60)
    monkeypatch.setattr(item_transitions, "_MOST_PAIRS", at_once)
    in_blocks = count_transitions(log, 60)
    assert whole.strengths[1:].any(axis=1).all()
    np.testing.assert_array_equal(whole.followers, in_blocks.followers)
    np.testing.assert_array_equal(whole.strengths, in_blocks.strengths)


def test_blocks_bound_the_memory(monkeypatch):
    log, peaks = random_log(users=2500, items=2000), []
    # About 400,000 pairs: each event follows up to 19 others.
    for at_once in (4_000_000, 40_000):
        monkeypatch.setattr(item_transitions, "_MOST_PAIRS", at_once)
        tracemalloc.start()
        count_transitions(log, 2000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 0.4 * peaks[0]


def test_nothing_to_count_is_no_bonus():
    found = count_transitions(histories([1], [2]), items=2)
    item, bonus = TransitionBonus(found).bonus(tf.constant([[1, 0]]))
    assert not item.numpy().any()
    assert not bonus.numpy().any()


def test_a_bonus_fades_with_what_came_after_and_adds_up():
    memory = TransitionBonus(count_transitions(histories([1, 2], [3, 2]), items=3))
    scores = tf.zeros([3, 4])
    # 3 is latest and 1 before it; 9 is unknown.
    raised = memory.raise_scores(scores, tf.constant([[3, 1], [9, 1], [0, 0]])).numpy()
    far = np.exp(-1 / 5)
    np.testing.assert_allclose(raised[:, 2], [1 + far, far, 0], rtol=1e-3)
    assert not raised[:, [0, 1, 3]].any()
    half = memory.raise_scores(scores, tf.constant([[3, 1]] * 3), 0.5).numpy()
    np.testing.assert_allclose(half[:, 2], (1 + far) / 2, rtol=1e-3)
