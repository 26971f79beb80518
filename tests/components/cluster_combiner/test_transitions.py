"""Transitions count only where validation users gain from them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components.cluster_combiner.transitions import fit_transitions
from tests.helpers.item_histories import histories
from trainer.data.item_transitions import TransitionBonus, count_transitions
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
