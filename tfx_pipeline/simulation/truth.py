"""The known truth of a simulated log: what was planted, and the figures that follow from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfx_pipeline.simulation.choices import ORIGINS
from tfx_pipeline.simulation.distances import item_distances, transition_distances
from tfx_pipeline.simulation.draws import Draws
from tfx_pipeline.simulation.oracle import oracle_figures, sample_users
from tfx_pipeline.simulation.timetable import drift_time, iso


def truth(draws: Draws, chance: np.random.Generator) -> dict[str, Any]:
    """The content of `truth.json`.

    Args:
        draws: the log.
        chance: chooses the users at whose last event the oracles are asked.
    """
    config, population, timetable = draws.model.config, draws.population, draws.timetable
    users = sample_users(draws, chance)
    latest = draws.choices.items[draws.last_events(users) - 1]
    events = len(timetable.users)
    origins = np.bincount(draws.choices.origins, minlength=len(ORIGINS)) / events
    return {
        "settings": config.model_dump(mode="json"),
        "log": {
            "users": config.users,
            "events": events,
            "items_bought": len(np.unique(draws.choices.items)),
            "events_per_user": events / config.users,
            "first_event": iso(int(timetable.times.min())),
            "last_event": iso(int(timetable.times.max())),
            "repeat_share": _repeat_share(draws),
            "origins": dict(zip(ORIGINS, origins.tolist(), strict=True)),
        },
        "clusters": {
            "users_before": _counts(population.before, config.clusters),
            "users_after": _counts(population.after, config.clusters),
            "drift_time": iso(drift_time(config)) if config.drift else None,
            "drifted": int(population.drifted.sum()),
            "drifted_with_events_on_both_sides": int(
                (population.drifted & _on_both_sides(draws)).sum()
            ),
        },
        "distances": {
            "items": item_distances(draws.item_shares),
            "next_item": transition_distances(draws.model, latest),
        },
        "oracle": oracle_figures(draws, users),
    }


def _counts(clusters: np.ndarray, count: int) -> list[int]:
    return [int(users) for users in np.bincount(clusters, minlength=count)]


def _repeat_share(draws: Draws) -> float:
    """Share of events, after each user's first, that take an item the user had, for any reason."""
    users = draws.timetable.users
    items = len(draws.model.assortment)
    different = len(np.unique(users * items + draws.choices.items))
    return float((len(users) - different) / (len(users) - draws.model.config.users))


def _on_both_sides(draws: Draws) -> np.ndarray:
    """Bool [U]: users with an event before the middle of the period and one after."""
    late = draws.timetable.times >= drift_time(draws.model.config)
    starts = draws.timetable.offsets[:-1]
    return np.logical_and(~late[starts], late[draws.timetable.offsets[1:] - 1])
