"""Ranking metrics from the ranks of what each user took next, with their uncertainty.

A rank is 1-based: 1 means that the item the user took next stood first. A rank of 0 means that
there was no next item to look for; such users are left out. There is one relevant item a user, so
NDCG@k is `1 / log2(rank + 1)` within the first k places and 0 beyond.

Where people buy baskets, the order of items inside one is arbitrary, and so is which of them is
"the next item". The basket metrics therefore look for all items of the next basket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

CUTOFFS = (5, 10, 20)
"""The k of HR@k and NDCG@k that are reported everywhere."""
BASKET_CUTOFFS = (10, 20)
"""The k of recall@k and NDCG@k over the next basket."""
PRIMARY_CUTOFF = 10
"""The k of the primary measure."""
PRIMARY = f"ndcg@{PRIMARY_CUTOFF}"
"""The primary measure where one item is held out: what models are chosen and judged by."""
BASKET_PRIMARY = f"basket_{PRIMARY}"
"""The primary measure where a whole instant or period is held out. It equals `PRIMARY` for a user
of whom only one item is."""

Ranks = npt.NDArray[np.integer]
Values = npt.NDArray[np.float64]

_BOOTSTRAP_CELLS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean over users and the interval around it.

    Attributes:
        mean: mean over users; NaN without users.
        low: lower end of the interval.
        high: upper end of the interval.
        users: number of users behind it.
    """

    mean: float
    low: float
    high: float
    users: int


def metric_names() -> list[str]:
    """Names of the metrics of `ranking_metrics`: hr@5 … hr@20, ndcg@5 … ndcg@20, mrr."""
    return [f"{name}@{k}" for name in ("hr", "ndcg") for k in CUTOFFS] + ["mrr"]


def user_values(ranks: Ranks, metric: str) -> Values:
    """What each user contributes to a metric; the metric is the mean.

    Args:
        ranks: integers [users], 1-based.
        metric: "hr@k", "ndcg@k" (any k >= 1) or "mrr".

    Returns:
        float64 [users].

    Raises:
        ValueError: the metric is not known, or a rank is below 1.

    Example:
        >>> user_values(np.array([1, 3, 30]), "ndcg@10").tolist()
        [1.0, 0.5, 0.0]
    """
    ranks = np.asarray(ranks)
    if ranks.size and ranks.min() < 1:
        raise ValueError("ranks start at 1; leave users without a next item out first")
    if metric == "mrr":
        return 1.0 / ranks
    match = re.fullmatch(r"(hr|ndcg)@([1-9]\d*)", metric)
    if match is None:
        raise ValueError(f"unknown metric {metric!r}; known: {', '.join(metric_names())}")
    within = ranks <= int(match[2])
    if match[1] == "hr":
        return within.astype(np.float64)
    return np.where(within, 1.0 / np.log2(ranks + 1.0), 0.0)


def ranking_metrics(ranks: Ranks) -> dict[str, float]:
    """All metrics of a set of users.

    Args:
        ranks: integers [users]; users with rank 0 are left out.

    Returns:
        metric name to value, and "users" to the number of users behind them. Without any user
        every metric is 0.

    Example:
        >>> figures = ranking_metrics(np.array([1, 3, 30, 0]))  # the last user has no next item
        >>> figures["users"], figures["ndcg@10"], round(figures["hr@10"], 3)
        (3.0, 0.5, 0.667)
    """
    scored = _scored(ranks)
    values = {
        name: float(user_values(scored, name).mean()) if scored.size else 0.0
        for name in metric_names()
    }
    return values | {"users": float(scored.size)}


def basket_metric_names() -> list[str]:
    """Names that `basket_values` knows and that are reported: recall and NDCG of the basket."""
    return [f"basket_{name}@{k}" for name in ("recall", "ndcg") for k in BASKET_CUTOFFS]


def basket_values(ranks: Ranks, splits: Ranks, metric: str) -> Values:
    """What each user contributes to a metric over the whole next basket.

    Recall@k is the share of the basket's items among the first k places. It is divided by the size
    of the basket, not by min(k, size), as papers on next baskets do (Li et al., "A Next Basket
    Recommendation Reality Check", TOIS 2023), so that figures compare; a basket of more than k
    items therefore cannot reach 1. NDCG@k has gain 1 for each of the items and is divided by the
    best that a list of k places can reach, with min(k, size) items in front.

    Args:
        ranks: integers [items], 1-based rank of every basket item in its user's list; 0 for an item
            that is not in the list.
        splits: integers [users + 1], user `u` owns `ranks[splits[u]:splits[u + 1]]`.
        metric: "basket_recall@k" or "basket_ndcg@k", any k >= 1.

    Returns:
        float64 [users]; NaN for an empty basket.

    Raises:
        ValueError: the metric is not known.

    Example:
        >>> ranks, splits = np.array([2, 0, 1]), np.array([0, 2, 3])  # baskets of two and of one
        >>> basket_values(ranks, splits, "basket_recall@10").tolist()
        [0.5, 1.0]
    """
    ranks, splits = np.asarray(ranks), np.asarray(splits)
    match = re.fullmatch(r"basket_(recall|ndcg)@([1-9]\d*)", metric)
    if match is None:
        known = ", ".join(basket_metric_names())
        raise ValueError(f"unknown metric {metric!r}; known: {known}")
    cutoff, sizes = int(match[2]), np.diff(splits)
    found = (ranks >= 1) & (ranks <= cutoff)
    gains, best = found.astype(np.float64), sizes.astype(np.float64)
    if match[1] == "ndcg":
        gains[found] /= np.log2(ranks[found] + 1.0)
        ideal = np.cumsum(1.0 / np.log2(np.arange(2.0, cutoff + 2.0)))
        best = np.append(0.0, ideal)[np.minimum(sizes, cutoff)]
    users = np.repeat(np.arange(sizes.size), sizes)
    total = np.bincount(users, weights=gains, minlength=sizes.size)
    return np.divide(total, best, out=np.full(sizes.size, np.nan), where=sizes > 0)


def bootstrap_interval(
    values: Values, confidence: float = 0.95, samples: int = 1000, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of a mean over users.

    Args:
        values: float [users], what each user contributes.
        confidence: share of resamples inside the interval.
        samples: number of resamples.
        seed: the same seed gives the same interval.

    Returns:
        The mean and its interval; NaN without users.

    Example:
        >>> found = bootstrap_interval(np.array([0.0, 1.0] * 50))
        >>> found.mean, found.users, 0.3 < found.low < 0.5 < found.high < 0.7
        (0.5, 100, True)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    means = np.concatenate(list(_resampled_means(values, samples, seed)))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(float(values.mean()), float(low), float(high), values.size)


def mean_interval(values: Values, confidence: float = 0.95) -> Interval:
    """Student's t interval of a mean difference over users.

    For differences between two models: most are 0 and the others lie on both sides, where a
    percentile bootstrap is too narrow (docs/explain/evaluation.md has the error rates of both).

    Args:
        values: float [users], each user's difference, in [-1, 1].
        confidence: two-sided, in (0, 1).

    Returns:
        The mean and its interval, cut off at -1 and 1; NaN without users. One user leaves
        everything open: -1 to 1.

    Example:
        >>> found = mean_interval(np.array([0.5, 0.0, 0.0, -0.1] * 10))
        >>> found.mean, round(found.low, 3), round(found.high, 3)
        (0.1, 0.024, 0.176)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, -1.0, 1.0, 1)
    error = float(values.std(ddof=1)) / np.sqrt(values.size)
    reach = float(stdtrit(values.size - 1, 0.5 + confidence / 2)) * error
    return Interval(mean, max(mean - reach, -1.0), min(mean + reach, 1.0), values.size)


def paired_difference(
    ranks: Ranks, other_ranks: Ranks, metric: str = "ndcg@10", confidence: float = 0.95
) -> Interval:
    """How much better one model is than another on the same users.

    Pairing takes out the differences between users, which are far larger than those between
    models.

    Args:
        ranks: integers [users], of the model in question; 0 leaves the user out.
        other_ranks: integers [users], of the model it is compared with, the same users in order.
        metric: as for `user_values`.
        confidence: as for `mean_interval`.

    Returns:
        Mean of the users' differences, positive where the first model is better.

    Raises:
        ValueError: the two do not list the same number of users.

    Example:
        >>> better = paired_difference(np.array([1, 1, 3]), np.array([1, 3, 3]))
        >>> round(better.mean, 3)
        0.167
    """
    first, second = np.asarray(ranks), np.asarray(other_ranks)
    if first.shape != second.shape:
        raise ValueError(
            f"paired ranks need the same users: got {first.size} and {second.size} ranks"
        )
    both = (first > 0) & (second > 0)
    difference = user_values(first[both], metric) - user_values(second[both], metric)
    return mean_interval(difference, confidence)


def _scored(ranks: Ranks) -> Ranks:
    ranks = np.asarray(ranks)
    return ranks[ranks > 0]


def _resampled_means(values: Values, samples: int, seed: int) -> Iterator[Values]:
    """Means of resamples of the users, in blocks that bound the memory.

    A resample is drawn as counts of the distinct values: the same distribution as drawing users,
    and cheap, since ranks beyond the cut-off all contribute the same 0.
    """
    distinct, counts = np.unique(values, return_counts=True)
    generator = np.random.default_rng(seed)
    block = max(1, _BOOTSTRAP_CELLS // distinct.size)
    for start in range(0, samples, block):
        size = min(block, samples - start)
        draws = generator.multinomial(values.size, counts / values.size, size=size)
        yield draws @ distinct / values.size
