import math

import numpy as np
import pytest

from trainer.evaluation import metrics


def test_values_by_hand():
    values = metrics.ranking_metrics(np.array([1, 3, 11, 0]))
    assert values["users"] == 3
    assert values["hr@5"] == pytest.approx(2 / 3)
    assert values["hr@20"] == pytest.approx(1.0)
    assert values["ndcg@10"] == pytest.approx((1 + 0.5) / 3)
    assert values["ndcg@20"] == pytest.approx((1 + 0.5 + 1 / math.log2(12)) / 3)
    assert values["mrr"] == pytest.approx((1 + 1 / 3 + 1 / 11) / 3)
    assert set(values) == {*metrics.metric_names(), "users"}


def test_no_users_give_zeros():
    assert set(metrics.ranking_metrics(np.array([0, 0])).values()) == {0.0}


def test_unknown_metric_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown metric 'map@10'; known: hr@5"):
        metrics.user_values(np.array([1]), "map@10")
    with pytest.raises(ValueError, match="ranks start at 1"):
        metrics.user_values(np.array([0]), "mrr")


def test_basket_values_by_hand():
    # A basket of three with places 1, 3 and none; an empty one; twelve items, five of them listed.
    ranks = np.array([3, 1, 0, *(2, 4, 10, 11, 20), 21, *[0] * 6])
    splits = np.array([0, 3, 3, 15])
    ideal = np.cumsum([1 / math.log2(place + 1) for place in range(1, 21)])
    listed = np.array([1 / math.log2(place + 1) for place in (2, 4, 10, 11, 20)])
    expected = {
        "basket_recall@10": (2 / 3, 3 / 12),
        "basket_recall@20": (2 / 3, 5 / 12),
        "basket_ndcg@10": (1.5 / ideal[2], listed[:3].sum() / ideal[9]),
        "basket_ndcg@20": (1.5 / ideal[2], listed.sum() / ideal[11]),
    }
    assert metrics.basket_metric_names() == list(expected)
    for name, (first, last) in expected.items():
        values = metrics.basket_values(ranks, splits, name)
        assert values == pytest.approx([first, math.nan, last], nan_ok=True), name


def test_a_basket_of_one_is_the_next_item():
    ranks = np.array([1, 4, 10, 11, 20, 21, 500])
    for k in (10, 20):
        for basket, single in (("recall", "hr"), ("ndcg", "ndcg")):
            np.testing.assert_allclose(
                metrics.basket_values(ranks, np.arange(8), f"basket_{basket}@{k}"),
                metrics.user_values(ranks, f"{single}@{k}"),
            )


def test_unknown_basket_metric_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown metric 'ndcg@10'; known: basket_recall@10"):
        metrics.basket_values(np.array([1]), np.array([0, 1]), "ndcg@10")


def test_bootstrap_agrees_with_the_normal_interval():
    ranks = np.random.default_rng(1).integers(1, 40, size=4000)
    values = metrics.user_values(ranks, "ndcg@10")
    interval = metrics.bootstrap_interval(values)
    error = 1.96 * values.std() / math.sqrt(values.size)
    assert interval.mean == pytest.approx(values.mean())
    assert interval.high - interval.mean == pytest.approx(error, rel=0.15)
    assert interval.mean - interval.low == pytest.approx(error, rel=0.15)
    assert interval == metrics.bootstrap_interval(values)


def test_bootstrap_of_many_distinct_values_runs_in_blocks(monkeypatch):
    values = np.random.default_rng(2).random(500)
    whole = metrics.bootstrap_interval(values, samples=300)
    monkeypatch.setattr(metrics, "_BOOTSTRAP_CELLS", 500 * 7)
    assert metrics.bootstrap_interval(values, samples=300) == whole


def test_bootstrap_without_users():
    interval = metrics.bootstrap_interval(np.array([]))
    assert interval.users == 0
    assert math.isnan(interval.mean)


def test_pairing_sees_what_two_separate_intervals_do_not():
    generator = np.random.default_rng(3)
    worse = generator.integers(2, 30, size=1000)
    better = worse - (generator.random(1000) < 0.2)
    difference = metrics.paired_difference(better, worse)
    assert difference.low > 0
    apart = [metrics.bootstrap_interval(metrics.user_values(r, "ndcg@10")) for r in (better, worse)]
    assert apart[0].low < apart[1].high


def test_paired_difference_needs_the_same_users():
    with pytest.raises(ValueError, match="got 2 and 3 ranks"):
        metrics.paired_difference(np.array([1, 2]), np.array([1, 2, 3]))
    assert metrics.paired_difference(np.array([0, 1]), np.array([1, 2])).users == 1
