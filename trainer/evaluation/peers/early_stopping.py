"""Training that ends when validation users gain no more, for the peers that are networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf


def fit_epochs(
    epoch: Callable[[], None],
    value: Callable[[], float],
    weights: Sequence[tf.Variable],
    most: int,
    patience: int,
) -> None:
    """Runs epochs until some in a row brought nothing, and ends with the best weights.

    Args:
        epoch: runs one.
        value: of the weights as they are; the higher, the better.
        weights: of the network.
        most: epochs.
        patience: so many epochs without a gain end it.
    """
    best, waited = -np.inf, 0
    kept = [weight.numpy() for weight in weights]
    for _ in range(most):
        epoch()
        found = float(np.nan_to_num(value(), nan=-1.0))
        if found > best:
            best, waited = found, 0
            kept = [weight.numpy() for weight in weights]
        else:
            waited += 1
            if waited == patience:
                break
    for weight, values in zip(weights, kept, strict=True):
        weight.assign(values)
