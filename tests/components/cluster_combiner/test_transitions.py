"""Transitions count only where validation users gain from them."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components.cluster_combiner.transitions import _mean_largest, fit_transitions
from tests.helpers.item_histories import histories
from trainer.data import features
from trainer.data.item_transitions import (
    FOLLOWERS,
    REACH,
    ItemTransitions,
    TransitionBonus,
    count_transitions,
)
from trainer.data.windows import padded_columns, window
from trainer.evaluation.metrics import user_values
from trainer.evaluation.ranking import target_rank

ITEMS, WIDTH, USERS = 60, 8, 400


@pytest.fixture(scope="module")
def shop():
    """After item i mostly i + 1 is taken; the encoder scores at random."""

    rng = np.random.default_rng(0)
    starts = rng.integers(1, ITEMS, USERS)
    training = histories(*[[s, s + 1] for s in starts])
    scores = tf.constant(rng.normal(size=(USERS, ITEMS + 1)), tf.float32)

    def split(targets):
        users = histories(*[[s] for s in starts])
        return users.__class__(
            users.columns, users.splits, targets.astype(np.int32), np.arange(USERS + 1),
            users.first_target,
        )  # fmt: skip

    class Ranker:
        """As `Scorer`, with scores that do not depend on the queries."""

        def __init__(self, targets, transitions=None):
            self.targets, self.bonus = targets, None
            if transitions is not None:
                self.bonus = TransitionBonus(transitions)

        def with_transitions(self, transitions):
            return Ranker(self.targets, transitions)

        def ranks(self, queries, share=1.0):
            raised = scores
            if self.bonus is not None:
                last = tf.constant(starts[:, None], tf.int32)
                raised = self.bonus.raise_scores(scores, last, share)
            return target_rank(raised, tf.constant(self.targets)).numpy()

        def values(self, queries, share=1.0):
            ranks = self.ranks(queries, share)
            return np.where(ranks > 0, user_values(np.maximum(ranks, 1), "ndcg@10"), np.nan)

    return SimpleNamespace(
        counted=count_transitions(training, ITEMS),
        split=split,
        ranker=Ranker,
        follows=starts + 1,
        chance=rng.integers(1, ITEMS + 1, USERS),
    )


def fitted(shop, targets):
    queries = np.zeros((USERS, WIDTH), np.float32)
    return fit_transitions(shop.counted, shop.ranker(targets), shop.split(targets), queries, seed=1)


def test_what_follows_is_used(shop):
    fit = fitted(shop, shop.follows)
    assert fit.transitions is not None
    assert fit.record.weight > 0
    assert fit.record.low > 0.1
    assert "in every model" in fit.record.reason
    with_them = shop.ranker(shop.follows, fit.transitions).ranks(None)
    assert (with_them <= 10).mean() > (shop.ranker(shop.follows).ranks(None) <= 10).mean() + 0.2


def test_what_does_not_follow_is_not_used(shop):
    fit = fitted(shop, shop.chance)
    assert fit.transitions is None
    assert fit.record.weight == 0
    assert "no clear gain" in fit.record.reason


def test_without_users_or_transitions_there_is_nothing_to_weigh(shop):
    for counted, targets in (
        (shop.counted, np.zeros(USERS)),
        (shop.counted.times(0), shop.follows),
    ):
        queries = np.zeros((USERS, WIDTH), np.float32)
        fit = fit_transitions(counted, shop.ranker(targets), shop.split(targets), queries, seed=1)
        assert fit.transitions is None
        assert "no transitions" in fit.record.reason


def test_the_largest_bonus_needs_no_place_for_the_whole_catalogue():
    """A user raises at most 1,000 items; a row for the catalogue would be 0.8 MB here."""
    items, users = 200_000, 300
    rng = np.random.default_rng(0)
    followers = rng.integers(0, 40, (items + 1, FOLLOWERS)).astype(np.int32)
    strengths = (rng.random((items + 1, FOLLOWERS)) * (followers > 0)).astype(np.float16)
    counted = ItemTransitions(followers, strengths)
    lengths = rng.integers(0, 2 * REACH, users)
    log = histories(*[rng.integers(1, items + 1, n).tolist() for n in lengths])
    tracemalloc.start()
    found = _mean_largest(counted, log)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6 < users * items * 4
    memory, largest = TransitionBonus(counted), []
    for user in range(0, users, 100):
        starts, ends = log.splits[user : user + 100], log.splits[user + 1 : user + 101]
        history = window(padded_columns(log.columns)[features.ITEM], starts, ends, REACH)
        raised = memory.raise_scores(tf.zeros([100, items + 1]), history)
        largest.append(raised.numpy()[:, 1:].max(axis=1))
    largest = np.concatenate(largest)
    assert found == pytest.approx(largest[largest > 0].mean(), rel=1e-6)


def test_too_few_users_say_nothing(shop):
    judged = np.where(np.arange(USERS) < 29, shop.follows, 0)
    fit = fitted(shop, judged)
    assert fit.transitions is None
    assert fit.record.reason == (
        "not used: too few validation users (29) to say; at least 30 are needed"
    )
    assert fitted(shop, np.where(np.arange(USERS) < 100, shop.follows, 0)).transitions is not None
