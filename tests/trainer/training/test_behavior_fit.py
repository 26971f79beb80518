"""The behaviour head's regression finds what is planted, and calibration mends the level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from trainer.training.behavior_fit import fit_line


def planted(n: int, level: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs of very unlike scales, one of them constant; what happened; the true odds."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 4)) * [1.0, 100.0, 0.01, 0.0] + [0.0, 50.0, 0.0, 7.0]
    truth = expit(level + 1.5 * inputs[:, 0] - 0.01 * (inputs[:, 1] - 50))
    return inputs.astype(np.float32), rng.random(n) < truth, truth


def test_it_finds_what_is_planted() -> None:
    inputs, happened, truth = planted(20_000, -1.0, 0)
    line = fit_line(inputs, happened)
    np.testing.assert_allclose(line(inputs), truth, atol=0.06)
    assert line.weights[3] == pytest.approx(0, abs=1e-6)
    assert (fit_line(inputs, happened).weights == line.weights).all()


def test_calibration_has_the_level_of_other_moments_and_keeps_the_order() -> None:
    # It happens far more often on validation than it did in training.
    line = fit_line(*planted(5_000, -3.0, 0)[:2])
    inputs, happened, truth = planted(20_000, 0.0, 1)
    assert line(inputs).mean() < 0.5 * happened.mean()
    told = line.calibrated(inputs, happened)
    assert told(inputs).mean() == pytest.approx(happened.mean(), rel=0.01)
    np.testing.assert_allclose(told(inputs), truth, atol=0.05)
    assert (np.argsort(told.logits(inputs)) == np.argsort(line.logits(inputs))).mean() > 0.999
