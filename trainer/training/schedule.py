"""How long to train: the learning rate falls to zero over a number of epochs known beforehand."""

from __future__ import annotations

import math

from trainer.config import OptimizerConfig

STEPS = 4000
"""Steps after which one encoder's validation NDCG@10 on Beauty (526 steps an epoch) hardly rises.
More members are a better use of time than more steps (`docs/results.md`)."""
FEWEST, MOST = 8, 60
"""Bounds of the epochs: several looks at large data, and an end for small data."""


def planned_epochs(config: OptimizerConfig, steps_per_epoch: int) -> int:
    """The most epochs that there will be.

    Example:
        >>> planned_epochs(OptimizerConfig(), 200)
        20
    """
    if config.epochs != "auto":
        return config.epochs
    return min(max(math.ceil(STEPS / steps_per_epoch), FEWEST), MOST)
