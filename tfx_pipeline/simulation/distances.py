"""How far apart the clusters are, computed from the model."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tfx_pipeline.simulation.model import ShopModel

_CONVERGED = 1e-12


def item_shares(model: ShopModel, lengths: np.ndarray) -> np.ndarray:
    """The expected share of each item among the events of a user who stays in a cluster.

    The distribution of the t-th event is carried forward from the (t-1)-th; their mean is
    weighted by the number of users who have a t-th event.

    Args:
        model: the shop.
        lengths: int64 [U], events of the users.

    Returns:
        float64 [K, V], rows adding up to 1.
    """
    config = model.config
    tastes = model.item_tastes(model.mixes)
    noise = config.noise * model.assortment.popularity
    latest = noise + (1 - config.noise) * tastes
    # Users with at least t events, t = 1, 2, …
    weights = np.cumsum(np.bincount(lengths)[:0:-1])[::-1]
    total, mean = weights[0] * latest, latest.copy()
    for step, weight in enumerate(weights[1:], 2):
        choice = config.follows * _followed(model, latest) + (1 - config.follows) * tastes
        own = config.repeats * mean + (1 - config.repeats) * choice
        following = noise + (1 - config.noise) * own
        settled = np.abs(following - latest).sum() < _CONVERGED
        latest = following
        if settled:
            total += weights[step - 1 :].sum() * latest
            break
        mean += (latest - mean) / step
        total += weight * latest
    return np.asarray(total / total.sum(axis=1, keepdims=True))


def _followed(model: ShopModel, latest: np.ndarray) -> np.ndarray:
    """The distribution of successors, given that of the latest item: float64 [K, V]."""
    habits = model.habits
    result = np.empty_like(latest)
    for cluster, weights in enumerate(latest):
        result[cluster] = np.bincount(
            habits.shared.ravel(), np.outer(weights, habits.shared_weights).ravel(), len(weights)
        )
        result[cluster] += np.bincount(
            habits.own[cluster].ravel(),
            np.outer(weights, habits.own_weights).ravel(),
            len(weights),
        )
    return result


def item_distances(shares: np.ndarray) -> dict[str, float] | None:
    """Mean distances between the clusters' item distributions, over all pairs of clusters.

    Args:
        shares: float64 [K, V], rows adding up to 1.

    Returns:
        `total_variation` and `jensen_shannon_distance` (Lin 1991; the square root of the
        divergence in bits), each in [0, 1]; None for one cluster.
    """
    pairs = [
        (_absolute(first, second).sum(), np.sqrt(_divergence(first, second).sum()))
        for first, second in combinations(shares, 2)
    ]
    return _mean(pairs)


def transition_distances(model: ShopModel, latest: np.ndarray) -> dict[str, float] | None:
    """Mean distances between the clusters' distributions of the next item.

    Of an event that does not repeat an own item, given the latest item; over all pairs of
    clusters and the given latest items. Exact: the distributions of two clusters given item i
    differ from two that do not depend on i only at the successors of i.

    Args:
        model: the shop.
        latest: int64 [n] items to condition on.

    Returns:
        As `item_distances`.
    """
    config, habits = model.config, model.habits
    free = (1 - config.noise) * (1 - config.repeats)
    scale = config.noise + free
    base = config.noise * model.assortment.popularity
    tastes = (base + free * (1 - config.follows) * model.item_tastes(model.mixes)) / scale
    follow = free * config.follows / scale
    pairs = []
    for one, other in combinations(range(config.clusters), 2):
        items = np.hstack(
            [habits.shared[latest], habits.own[one][latest], habits.own[other][latest]]
        )
        shared, own = follow * habits.shared_weights, follow * habits.own_weights
        added = np.concatenate([shared, own, 0 * own]), np.concatenate([shared, 0 * own, own])
        means = []
        for distance in (_absolute, _divergence):
            everywhere = distance(tastes[one], tastes[other])
            here = distance(tastes[one][items] + added[0], tastes[other][items] + added[1])
            sums = everywhere.sum() + (here - everywhere[items]).sum(axis=1)
            means.append(np.maximum(sums, 0.0))
        pairs.append((means[0].mean(), np.sqrt(means[1]).mean()))
    return _mean(pairs)


def _mean(pairs: list[tuple[float, float]]) -> dict[str, float] | None:
    if not pairs:
        return None
    variation, shannon = np.mean(pairs, axis=0)
    return {"total_variation": float(variation), "jensen_shannon_distance": float(shannon)}


def _absolute(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The terms of the total variation."""
    return np.abs(first - second) / 2


def _divergence(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The terms of the Jensen-Shannon divergence in bits."""
    middle = (first + second) / 2
    return (_entropy_terms(first, middle) + _entropy_terms(second, middle)) / 2


def _entropy_terms(values: np.ndarray, middle: np.ndarray) -> np.ndarray:
    ratio = np.divide(values, middle, out=np.ones_like(values), where=values > 0)
    return np.asarray(values * np.log2(ratio))
