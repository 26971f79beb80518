"""The tests behind the gates: against exact figures, and their error rates where others fail."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trainer.evaluation.chance import above_zero_p_value, holm, least_change


def test_values_of_zero_and_one_give_the_exact_binomial_test():
    for users, hits, share in ((30, 29, 0.9), (50, 20, 0.3), (200, 30, 0.1)):
        values = np.repeat([1.0, 0.0], [hits, users - hits]) - share
        exact = stats.binomtest(hits, users, share, alternative="greater").pvalue
        assert above_zero_p_value(values, -share) == pytest.approx(exact, rel=0.03)


def test_the_probability_is_that_of_the_random_weights():
    rng = np.random.default_rng(0)
    values = rng.choice([-1.0, -0.3, 0.0, 0.4, 1.0], 60, p=[0.03, 0.1, 0.6, 0.15, 0.12])
    weighted = rng.exponential(size=(200_000, 61)) @ np.append(values, -1.0)
    assert above_zero_p_value(values, -1.0) == pytest.approx(np.mean(weighted <= 0), rel=0.05)


def test_counts_stand_for_equal_users():
    counts = np.array([40, 3, 12])
    values = np.array([0.0, -0.5, 0.6])
    each = above_zero_p_value(np.repeat(values, counts), -1.0)
    assert above_zero_p_value(values, -1.0, counts) == pytest.approx(each)


def test_many_users_give_the_ordinary_test_of_a_mean():
    values = np.random.default_rng(1).normal(0.01, 0.2, 5_000).clip(-1, 1)
    ordinary = stats.ttest_1samp(values, 0, alternative="greater").pvalue
    assert above_zero_p_value(values, -1.0) == pytest.approx(ordinary, abs=0.01)
    assert above_zero_p_value(-values, -1.0) > 0.9


def test_nothing_is_proven_by_nothing():
    assert above_zero_p_value(np.zeros(0), -1.0) == 1.0
    assert above_zero_p_value(np.zeros(100), -1.0) == 1.0
    with pytest.raises(ValueError, match="lowest value"):
        above_zero_p_value(np.array([-2.0]), -1.0)


@pytest.mark.parametrize("users", [30, 60, 139])
def test_rare_losses_that_were_not_seen_are_reckoned_with(users):
    """A t interval passes a truly 5 % worse model in every ninth to third run here."""
    rng = np.random.default_rng(users)
    passed = {"this": 0, "t": 0}
    runs = 400
    for _ in range(runs):
        served = np.where(rng.random(users) < 0.3, 1.0, 0.0)
        candidate = np.where(rng.random(users) < 0.05, 0.0, served)
        contrast = candidate - 0.95 * served
        spread = contrast.std(ddof=1) / np.sqrt(users)
        quantile = stats.t.ppf(0.95, users - 1)
        passed["t"] += contrast.mean() > quantile * spread
        passed["this"] += least_change(candidate, served, 0.95) >= -0.05
    assert passed["this"] / runs < 0.05
    assert passed["t"] / runs > 0.1


def test_least_change_is_where_the_test_turns():
    rng = np.random.default_rng(3)
    served = np.where(rng.random(500) < 0.4, rng.random(500), 0.0)
    candidate = np.clip(served + rng.normal(0, 0.05, 500), 0, 1)
    low = least_change(candidate, served, 0.95)
    assert -0.3 < low < candidate.mean() / served.mean() - 1
    for share, sure in ((1 + low - 1e-6, True), (1 + low + 1e-6, False)):
        p = above_zero_p_value(candidate - share * served, -share)
        assert (p <= 0.05) == sure
    assert least_change(candidate, served, 0.99) < low


def test_more_users_leave_less_to_chance():
    few = least_change(np.array([0.5, 0.0]), np.array([0.5, 0.0]), 0.95, np.array([30, 100]))
    many = least_change(np.array([0.5, 0.0]), np.array([0.5, 0.0]), 0.95, np.array([3000, 10000]))
    assert few < -0.05 < many < 0


def test_the_ends_of_least_change():
    assert least_change(np.zeros(50), np.ones(50), 0.95) == -1.0
    assert least_change(np.zeros(50), np.zeros(50), 0.95) == -1.0
    # Whatever the baseline may have missed, it is at most one lucky user.
    assert least_change(np.ones(50), np.zeros(50), 0.95) > 1.0


def test_holm_rejects_step_by_step():
    assert holm([]) == []
    assert holm([0.02]) == [0.02]
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert min(holm([0.001, 0.7, 0.2, 0.05])) == pytest.approx(4 * 0.001)
