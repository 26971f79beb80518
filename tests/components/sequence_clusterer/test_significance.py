"""Tests, intervals and corrections against scipy's and against simulation."""

import numpy as np
import pytest
from scipy import stats

from components.sequence_clusterer.meaning.significance import (
    Sums,
    TestValues,
    exact_more,
    lift_interval,
    q_values,
)


def sums(values):
    """Over the last axis."""
    users = np.full(values.shape[:-1], float(values.shape[-1]))
    return Sums(users, values.sum(-1), (values**2).sum(-1), (values**3).sum(-1))


def test_on_ranks_it_is_the_mann_whitney_test():
    rng = np.random.default_rng(0)
    values, group = rng.integers(0, 9, 500), rng.random(500) < 0.4
    values[group] += rng.integers(0, 2, group.sum())
    ranks = stats.rankdata(values)
    ours = TestValues.of(sums(ranks[None, group]), sums(ranks[None])).different()
    theirs = stats.mannwhitneyu(
        values[group], values[~group], use_continuity=False, method="asymptotic"
    )
    assert ours[0] == pytest.approx(theirs.pvalue, rel=0.02)


def test_exact_test_is_fishers():
    rng = np.random.default_rng(1)
    users, having_all = rng.integers(8, 2000, 300), rng.integers(3, 2000, 300)
    having = rng.hypergeometric(having_all, 5000 - having_all, users) + rng.integers(0, 9, 300)
    having = np.minimum(having, np.minimum(users, having_all))
    ours = exact_more(having, users, having_all, 5000)
    theirs = stats.hypergeom.sf(having - 1, 5000, users, having_all)
    more = having * 5000 > users * having_all
    assert more.sum() > 100
    np.testing.assert_allclose(ours[more], theirs[more], rtol=1e-7)
    assert (ours[~more] == 1).all()


@pytest.mark.parametrize(("users", "chance"), [(20, 0.3), (20, 0.03), (8, 0.05), (400, 0.1)])
def test_random_groups_are_significant_no_more_often_than_stated(users, chance):
    """Also where few users have something at all, which a normal approximation would get wrong."""
    rng = np.random.default_rng(2)
    everyone = np.where(rng.random((1000, 900)) < chance, rng.beta(2, 8, (1000, 900)), 0.0)
    groups = [everyone[:, rng.permutation(900)[:users]] for _ in range(20)]
    tests = [TestValues.of(sums(group), sums(everyone)) for group in groups]
    more = np.concatenate([test.more() for test in tests])
    different = np.concatenate([test.different() for test in tests])
    for p_values in (more, different):
        assert np.mean(p_values < 0.01) < 0.013
        assert np.mean(p_values < 0.001) < 0.0018
    assert np.mean(more < 0.05) > 0.03


@pytest.mark.parametrize("shares", [(0.3, 0.1), (0.05, 0.02), (0.2, 0.2)])
def test_the_interval_of_a_lift_covers_it(shares):
    rng = np.random.default_rng(3)
    group, others = (
        np.where(rng.random((1500, n)) < share, rng.beta(2, 8, (1500, n)), 0.0)
        for n, share in zip((150, 700), shares, strict=True)
    )
    lift = shares[0] / ((150 * shares[0] + 700 * shares[1]) / 850)
    low, high = lift_interval(sums(group), sums(np.concatenate([group, others], axis=1)))
    assert 0.93 < np.mean((low <= lift) & (lift <= high)) < 0.98


def test_intervals_at_the_edges():
    """What nobody else has, what nobody in the group has, and a group that is everyone."""
    group = sums(np.array([[1.0] * 20, [0.0] * 20, [1.0] * 20]))
    others = sums(np.array([[0.0] * 60, [1.0] * 60, [0.0] * 60]))
    everyone = Sums(*(getattr(group, n) + getattr(others, n) for n in vars(group)))
    low, high = lift_interval(group, everyone)
    assert 1.5 < low[0] < high[0] == pytest.approx(4.0)
    assert low[1] == 0.0
    assert 0.0 < high[1] < 0.5
    low, high = lift_interval(group, group)
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert (TestValues.of(group, group).z == 0).all()


def test_correction_counts_the_tests_that_are_not_given():
    p_values = np.array([0.04, 0.001, 0.012])
    whole = stats.false_discovery_control(np.concatenate([p_values, np.ones(7)]))
    np.testing.assert_allclose(q_values(p_values, 10), whole[:3])
    assert len(q_values(np.array([]), 10)) == 0
