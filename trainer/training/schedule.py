"""How many epochs to train, which must be known first: the learning rate falls to zero."""

from __future__ import annotations

import math

from trainer.config import OptimizerConfig

STEPS = 4000
"""Steps after which one encoder's validation NDCG@10 on Beauty (526 steps an epoch) hardly rises.
More members are a better use of time than more steps (`docs/journal/results.md`)."""
FEWEST, MOST = 8, 60
"""Bounds of the epochs: large data is read several times, and training on small data ends."""


def planned_epochs(config: OptimizerConfig, steps_per_epoch: int) -> int:
    """Upper bound of the epochs.

    Example:
        >>> planned_epochs(OptimizerConfig(), 200)
        20
    """
    if config.epochs != "auto":
        return config.epochs
    return min(max(math.ceil(STEPS / steps_per_epoch), FEWEST), MOST)
