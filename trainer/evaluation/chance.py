"""What chance explains: tests whether one model is better than another on the same users.

A gate turns a test into a push, so that its error rate has to hold where the usual tests fail: most
users' values are 0, a few decide, and there may be only 30 of them. The test here is Gaffke's, for
the mean of values with a known lower end: one more user is added who has the lowest value there can
be, every user gets an exponential random weight, and the p-value is the probability that the
weighted sum is not above zero. With values of 0 and 1 it is the exact binomial test (Clopper and
Pearson); with many users it is the ordinary test of a mean. No distribution is known for which it
errs more often than stated; a proof exists for special cases only.

Sources: N. Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of
a nonnegative variable", Mathematical Methods of Statistics 14 (2005); E. Learned-Miller and
P. Thomas, "A new confidence interval for the mean of a bounded random variable" (2019). The
probability is computed by the saddlepoint approximation of R. Lugannani and S. Rice (1980), which
needs no draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr

ENOUGH_USERS = 30
"""Fewer users say nothing: no verdict and no advice comes from them."""

Values = npt.NDArray[np.float64]

_INSIDE = 1 - 1e-10
"""How far a search goes towards the end of an open range, as a share of it."""
_LARGEST = 1000.0
"""Share of a baseline's mean above which no change is told apart: it may be 0."""
_CENTRE = 1e-4
"""Nearer to its mean than so many standard deviations, the approximation is replaced by its
limit."""


def too_few(users: int, whose: str) -> str:
    """Says why nothing is said.

    Args:
        users: how many there are, fewer than `ENOUGH_USERS`.
        whose: which users, such as the name of their split.

    Example:
        >>> too_few(12, "test")
        'too few test users (12) to say; at least 30 are needed'
    """
    return f"too few {whose} users ({users}) to say; at least {ENOUGH_USERS} are needed"


def above_zero_p_value(values: Values, lowest: float, counts: Values | None = None) -> float:
    """How likely chance alone makes a mean look as far above zero; small where it is above.

    Args:
        values: float [distinct], one for each user, or for each group of users with equal values.
        lowest: the lowest value that any user could have; below 0.
        counts: numbers [distinct], users with each value; None for one each.

    Returns:
        The p-value of "the mean over all users there are is 0 or less", in [0, 1]. 1 without users.

    Raises:
        ValueError: `lowest` is not below 0, or a value is below it.

    Example:
        >>> users = np.array([1.0] * 30)  # of 30 users none lost
        >>> round(above_zero_p_value(users - 0.9, lowest=-0.9), 2), round(0.9**30, 2)
        (0.04, 0.04)
    """
    values = np.asarray(values, np.float64)
    if lowest >= 0 or (values.size and values.min() < lowest - 1e-12):
        raise ValueError(f"the lowest value must be below 0 and below all others, not {lowest}")
    x = np.append(values, lowest)
    weights = np.append(np.ones(values.size) if counts is None else counts, 1.0)
    if x.max() <= 0:
        return 1.0

    def slope(t: float) -> float:
        """Of the cumulant generating function of the weighted sum."""
        return float(np.sum(weights * x / (1 - t * x)))

    t = float(brentq(slope, _INSIDE / x.min(), _INSIDE / x.max(), xtol=1e-14, rtol=1e-13))
    ratio = x / (1 - t * x)
    second, third = np.sum(weights * ratio**2), 2 * np.sum(weights * ratio**3)
    cumulant = -float(np.sum(weights * np.log1p(-t * x)))
    w = float(np.sign(t) * np.sqrt(max(-2 * cumulant, 0.0)))
    density = np.exp(-w * w / 2) / np.sqrt(2 * np.pi)
    if abs(w) < _CENTRE:
        p = 0.5 + third / (6 * np.sqrt(2 * np.pi) * second**1.5)
    else:
        p = ndtr(w) + density * (1 / w - 1 / (t * np.sqrt(second)))
    return float(np.clip(p, 0.0, 1.0))


def least_change(
    candidate: Values, baseline: Values, confidence: float, counts: Values | None = None
) -> float:
    """The lowest relative change of a mean that chance leaves.

    A change of r is left out if `candidate - (1 + r) * baseline`, user by user, has a mean above
    zero beyond chance. So the uncertainty of the baseline's mean is part of it, and -0.03 says: the
    candidate has at least 97 % of the baseline's mean, with the stated confidence.

    - Better beyond chance: the result is above 0.
    - Not worse than a margin beyond chance (non-inferior): the result is above minus the margin.

    Args:
        candidate: float [distinct], values in [0, 1], one for each user or group of equal users.
        baseline: float [distinct], of the same users.
        confidence: one-sided, in (0, 1).
        counts: numbers [distinct], users in each group; None for one each.

    Returns:
        The change as a share of the baseline's mean, at least -1; about 2,000 where that is 0.

    Example:
        >>> served = np.array([1.0, 0.5, 0.0, 0.0] * 250)
        >>> found = np.array([1.0, 0.5, 0.5, 0.0] * 250)
        >>> round(least_change(found, served, 0.95), 2)  # the means differ by a third
        0.29
    """
    error = 1 - confidence

    def p_value(share: float) -> float:
        return above_zero_p_value(candidate - share * baseline, -share, counts)

    if not np.any(np.asarray(candidate) > 0):
        return -1.0
    high = 1.0
    while p_value(high) <= error:
        if high > _LARGEST:
            return high - 1.0
        high *= 2
    low = high
    while p_value(low) > error:
        low /= 2
        if low < 1e-6:
            return -1.0
    if low == high:
        return high - 1.0
    share = brentq(lambda share: p_value(share) - error, low, min(2 * low, high), xtol=1e-10)
    return float(share) - 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, so that all of them may be looked at.

    With the corrected ones, the chance that any true "nothing is wrong" is rejected is at most the
    level (S. Holm, "A simple sequentially rejective multiple test procedure", 1979). The smallest
    is the plain one times the number of tests, as after Bonferroni.

    Args:
        p_values: of all tests, in any order.

    Returns:
        The corrected ones, in the same order.

    Example:
        >>> [round(p, 2) for p in holm([0.03, 0.01, 0.5])]
        [0.06, 0.03, 0.5]
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for place, i in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[i]))
        corrected[i] = largest
    return corrected
