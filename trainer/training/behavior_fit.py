"""The fit of a behaviour head: a logistic regression, and a calibration on other users' moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_STRENGTH = 0.01
"""scikit-learn's C: weights of standardised inputs are held near zero, since there are hundreds of
inputs and perhaps few moments with the action. Calibration mends what that does to the level."""
_FREE = 1e6
"""The C of the calibration, whose two numbers are held by nothing."""
_ITERATIONS = 1000


@dataclass(frozen=True)
class LogisticLine:
    """The probability sigmoid(inputs · weights + bias).

    Attributes:
        weights: float64 [width].
        bias: the level.
    """

    weights: Floats
    bias: float

    def logits(self, inputs: npt.NDArray[np.floating]) -> Floats:
        """float64 [n] of inputs [n, width]."""
        logits: Floats = inputs.astype(np.float64) @ self.weights + self.bias
        return logits

    def __call__(self, inputs: npt.NDArray[np.floating]) -> Floats:
        """Probabilities float64 [n] of inputs [n, width]."""
        probabilities: Floats = expit(self.logits(inputs))
        return probabilities

    def calibrated(self, inputs: npt.NDArray[np.floating], happened: Bools) -> LogisticLine:
        """The same order with the level and the spread of other moments (Platt 1999).

        One slope and one intercept of the logits are fitted by maximum likelihood.

        Args:
            inputs: float [n, width].
            happened: bool [n], both kinds.
        """
        platt = _regression(self.logits(inputs)[:, None], happened, _FREE)
        return LogisticLine(
            platt.weights[0] * self.weights, platt.weights[0] * self.bias + platt.bias
        )


def fit_line(inputs: npt.NDArray[np.floating], happened: Bools) -> LogisticLine:
    """Fits a penalised logistic regression.

    Args:
        inputs: float [n, width].
        happened: bool [n], both kinds.
    """
    return _regression(inputs.astype(np.float64), happened, _STRENGTH)


def _regression(inputs: Floats, happened: Bools, strength: float) -> LogisticLine:
    """Of standardised inputs, written as one of the inputs themselves."""
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    model = LogisticRegression(C=strength, max_iter=_ITERATIONS)
    model.fit((inputs - mean) / scale, happened)
    weights = model.coef_[0] / scale
    return LogisticLine(weights, float(model.intercept_[0] - mean @ weights))
