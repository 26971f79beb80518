"""Measures of probabilities, against scikit-learn and counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from trainer.evaluation.probabilities import auc, auc_with_interval, brier, reliability


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with equal values among them, and what happened with them."""
    rng = np.random.default_rng(seed)
    predicted = rng.integers(0, 20, n) / 20
    return predicted, rng.random(n) < predicted


def test_auc_is_that_of_scikit_learn_also_with_equal_values_and_weights() -> None:
    predicted, happened = drawn(500)
    assert auc(predicted, happened) == pytest.approx(roc_auc_score(happened, predicted))
    weights = np.random.default_rng(1).integers(0, 4, 500).astype(float)
    assert auc(predicted, happened, weights) == pytest.approx(
        roc_auc_score(happened, predicted, sample_weight=weights)
    )


def test_auc_needs_both_kinds() -> None:
    assert np.isnan(auc(np.array([0.1, 0.2]), np.array([True, True])))


def test_the_interval_is_wider_where_users_repeat_themselves() -> None:
    predicted, happened = drawn(400)
    alone = auc_with_interval(predicted, happened, np.arange(400), seed=1)
    repeated = auc_with_interval(
        np.tile(predicted, 9), np.tile(happened, 9), np.tile(np.arange(400), 9), seed=1
    )
    assert alone.low < alone.value < alone.high
    # Nine copies of the same users say no more about other users.
    assert repeated == pytest.approx(alone, abs=1e-12)
    as_if_others = auc_with_interval(
        np.tile(predicted, 9), np.tile(happened, 9), np.arange(3600), seed=1
    )
    assert as_if_others.high - as_if_others.low < 0.5 * (alone.high - alone.low)
    assert auc_with_interval(predicted, happened, np.arange(400), seed=1) == alone


def test_the_interval_holds_as_often_as_it_says() -> None:
    truth = auc(*drawn(200_000, seed=99))
    held = [
        found.low <= truth <= found.high
        for seed in range(60)
        for found in [auc_with_interval(*drawn(300, seed), np.arange(300), seed=0)]
    ]
    assert np.mean(held) > 0.85


def test_brier_and_groups_by_hand() -> None:
    predicted = np.arange(20) / 20
    happened = np.arange(20) >= 10
    assert brier(predicted, happened) == pytest.approx(np.mean((predicted - happened) ** 2))
    groups = reliability(predicted, happened)
    assert len(groups) == 10
    assert groups[0] == (2, pytest.approx(0.025), 0.0)
    assert groups[9] == (2, pytest.approx(0.925), 1.0)
    assert len(reliability(predicted[:3], happened[:3])) == 3
