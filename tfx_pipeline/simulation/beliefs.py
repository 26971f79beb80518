"""What can be known about a user's cluster: the posterior given a history, or its latest item."""

from __future__ import annotations

import numpy as np

from tfx_pipeline.simulation.draws import Draws
from tfx_pipeline.simulation.timetable import drift_time


def after_latest_item(draws: Draws, users: np.ndarray) -> np.ndarray:
    """The probability of each cluster at the users' last event, given only the item before it.

    Takes each user for one who has always been in the cluster.

    Args:
        draws: the draws.
        users: int64 [n].

    Returns:
        float64 [n, K].
    """
    last = draws.last_events(users)
    late = draws.timetable.times[last] >= drift_time(draws.model.config)
    latest = draws.choices.items[last - 1]
    joint = draws.priors[late.astype(int)] * draws.item_shares[:, latest].T
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def after_history(draws: Draws, users: np.ndarray) -> np.ndarray:
    """The probability of each cluster at the users' last event, given all events before it.

    Exact by Bayes' rule, the drift included, for a log without individuality.

    Args:
        draws: the draws.
        users: int64 [n].

    Returns:
        float64 [n, K].
    """
    config, times = draws.model.config, draws.timetable.times
    events, owners = draws.histories(users)
    late = times[events] >= drift_time(config)
    likelihood = np.zeros((2, len(users), config.clusters))
    for cluster in range(config.clusters):
        terms = _log_probability(draws, events, cluster)
        for phase in (0, 1):
            chosen = late == bool(phase)
            likelihood[phase, :, cluster] = np.bincount(owners[chosen], terms[chosen], len(users))
    with np.errstate(divide="ignore"):
        prior = np.log(draws.priors[0][:, None] * draws.moves)
    joint = likelihood[0][:, :, None] + likelihood[1][:, None, :] + prior
    joint = np.exp(joint - joint.max(axis=(1, 2), keepdims=True))
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    last_is_late = times[draws.last_events(users)] >= drift_time(config)
    return np.where(last_is_late[:, None], joint.sum(axis=1), joint.sum(axis=2))


def _log_probability(draws: Draws, events: np.ndarray, cluster: int) -> np.ndarray:
    """Log probability of events, given the cluster and the user's earlier events: float64 [n]."""
    model, config = draws.model, draws.model.config
    items, positions = draws.choices.items, draws.timetable.positions[events]
    item = items[events]
    taste = model.mixes[cluster, model.assortment.categories[item]]
    taste = taste * model.assortment.within_category[item]
    first = positions == 0
    habit = model.habits.probability(cluster, items[np.where(first, events, events - 1)], item)
    choice = np.where(first, taste, config.follows * habit + (1 - config.follows) * taste)
    repeats = np.where(first, 0.0, config.repeats)
    earlier = _earlier(draws, events) / np.maximum(positions, 1)
    own = repeats * earlier + (1 - repeats) * choice
    with np.errstate(divide="ignore"):
        return np.log(config.noise * model.assortment.popularity[item] + (1 - config.noise) * own)


def _earlier(draws: Draws, events: np.ndarray) -> np.ndarray:
    """How often the user had taken the item of each event before: int64 [n].

    `events` must hold each user's events from the first on, without a gap.
    """
    keys = draws.timetable.users[events] * len(draws.model.assortment) + draws.choices.items[events]
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    ranks = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    result = np.empty(len(keys), np.int64)
    result[order] = ranks
    return result
