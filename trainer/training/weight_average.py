"""Judging and keeping the moving average of the weights instead of the weights themselves.

The average of the recent weights (Polyak & Juditsky 1992) ranks better than the last ones while the
learning rate is still high, and needs no second training. The optimizer keeps it
(`use_ema`); these callbacks put it into the model while an epoch is judged.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def momentum(epochs: float, steps_per_epoch: int) -> float:
    """Momentum of an average that looks back over so many epochs.

    Example:
        >>> momentum(0.5, 200)
        0.99
    """
    return 1.0 - 1.0 / max(1.0, epochs * steps_per_epoch)


class AverageWeights(keras.callbacks.Callback):
    """Puts the average into the model at the end of an epoch.

    Callbacks between this one and its `undo` see the average.
    """

    def __init__(self) -> None:
        super().__init__()
        self._current: list[np.ndarray] = []
        self.undo = keras.callbacks.LambdaCallback(on_epoch_end=self._put_back)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the current weights aside."""
        self._current = [variable.numpy() for variable in self.model.trainable_variables]
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)

    def _put_back(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for variable, value in zip(self.model.trainable_variables, self._current, strict=True):
            variable.assign(value)
