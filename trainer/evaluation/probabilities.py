"""How good predicted probabilities are: do they rank, and do they say how often it happens?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_RESAMPLES = 500
_GROUPS = 10


class Auc(NamedTuple):
    """Area under the ROC curve with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def auc(predicted: Floats, happened: Bools, weights: Floats | None = None) -> float:
    """How likely a moment at which it happened was given more than one at which it did not.

    Args:
        predicted: float [n]; of two equal values each counts half.
        happened: bool [n].
        weights: float [n], how often each counts; None for once.

    Returns:
        In [0, 1], .5 for guessing; NaN where one of the two kinds is missing.

    Example:
        >>> auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
        0.875
    """
    weights = np.ones(len(predicted)) if weights is None else weights
    values, place = np.unique(predicted, return_inverse=True)
    yes, no = (np.bincount(place, weights * of, len(values)) for of in (happened, ~happened))
    pairs = yes.sum() * no.sum()
    below = np.cumsum(no) - no
    return float((yes * (below + no / 2)).sum() / pairs) if pairs else float("nan")


def auc_with_interval(
    predicted: Floats, happened: Bools, user: npt.NDArray[np.int64], seed: int
) -> Auc:
    """The AUC, and where it may lie for other users of the same kind.

    The bootstrap draws users with all of their moments, which are no independent observations
    (A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 1997).

    Args:
        predicted: float [n].
        happened: bool [n], both kinds.
        user: int64 [n], whose moment.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    _, user = np.unique(user, return_inverse=True)
    users = int(user.max()) + 1
    found = []
    for _ in range(_RESAMPLES):
        times = np.bincount(rng.integers(users, size=users), minlength=users)
        found.append(auc(predicted, happened, times[user].astype(np.float64)))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Auc(auc(predicted, happened), float(low), float(high))


def brier(predicted: Floats, happened: Bools) -> float:
    """Mean squared error of the probabilities; 0 is best."""
    return float(np.mean((predicted - happened) ** 2))


class Group(NamedTuple):
    """Moments with about the same probability: how many, its mean, and how often it happened."""

    moments: int
    predicted: float
    observed: float


def reliability(predicted: Floats, happened: Bools) -> list[Group]:
    """Ten groups of about equal size by rising probability; fewer of fewer than ten moments.

    Args:
        predicted: float [n].
        happened: bool [n].
    """
    order = np.argsort(predicted, kind="stable")
    return [
        Group(len(rows), float(predicted[rows].mean()), float(happened[rows].mean()))
        for rows in np.array_split(order, _GROUPS)
        if len(rows)
    ]
