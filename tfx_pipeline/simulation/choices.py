"""Which item each event takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfx_pipeline.simulation.model import ShopModel
from tfx_pipeline.simulation.population import Population
from tfx_pipeline.simulation.tastes import draw_categories, individual_mixes
from tfx_pipeline.simulation.timetable import Timetable

ORIGINS = ("noise", "repeat", "habit", "taste")
NOISE, REPEAT, HABIT, TASTE = range(len(ORIGINS))


@dataclass(frozen=True)
class Choices:
    """The items, in the order of the timetable.

    Attributes:
        items: int32 [E].
        origins: int8 [E], why the item was taken, an index of `ORIGINS`.
        mixes: float64 [n, C], the category mixes that users follow.
        rows: int64 [E], the row of `mixes` that holds at each event.
    """

    items: np.ndarray
    origins: np.ndarray
    mixes: np.ndarray
    rows: np.ndarray


def draw_choices(
    model: ShopModel,
    population: Population,
    timetable: Timetable,
    chance: np.random.Generator,
    individual: np.random.Generator,
) -> Choices:
    """Draws an item for every event, all users at once, one step for each position in a history.

    Args:
        model: what is bought.
        population: who buys.
        timetable: when.
        chance: source of randomness of the events; takes as many numbers whatever the
            distinctness, so that two logs can be compared event by event.
        individual: source of randomness of the users' own tastes.
    """
    mixes, rows = _mixes(model, population, timetable, individual)
    events = len(timetable.users)
    positions = timetable.positions
    origins = _origins(model, positions, chance.random(events))
    categories = draw_categories(mixes, rows, chance.random(events))
    shares = model.assortment.category_shares[None]
    popular = draw_categories(shares, np.zeros(events, np.int64), chance.random(events))
    categories = np.where(origins == NOISE, popular, categories)
    items = model.assortment.draw(categories, chance.random(events)).astype(np.int32)
    back = (chance.random(events) * positions).astype(np.int64)
    lists, places = chance.random(events), chance.random(events)
    for at in _by_position(positions):
        repeat = at[origins[at] == REPEAT]
        items[repeat] = items[repeat - 1 - back[repeat]]
        habit = at[origins[at] == HABIT]
        items[habit] = model.habits.draw(
            timetable.clusters[habit], items[habit - 1], lists[habit], places[habit]
        )
    return Choices(items, origins, mixes, rows)


def _mixes(
    model: ShopModel,
    population: Population,
    timetable: Timetable,
    chance: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The category mixes, and each event's row: clusters, or users before and after a drift."""
    config = model.config
    if config.individuality == 0:
        return model.mixes, timetable.clusters
    movers = np.flatnonzero(population.drifted)
    clusters = np.concatenate([population.before, population.after[movers]])
    mixes = individual_mixes(model.mixes[clusters], config.individuality, chance)
    row_after = np.arange(config.users)
    row_after[movers] = config.users + np.arange(len(movers))
    moved = timetable.clusters != population.before[timetable.users]
    return mixes, np.where(moved, row_after[timetable.users], timetable.users)


def _origins(model: ShopModel, positions: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Why each event takes its item: int8 [E]. A first event has nothing to repeat or follow."""
    config = model.config
    repeat = config.noise + (1 - config.noise) * config.repeats
    habit = repeat + (1 - config.noise) * (1 - config.repeats) * config.follows
    origins = np.digitize(uniforms, [config.noise, repeat, habit]).astype(np.int8)
    origins[(positions == 0) & (origins != NOISE)] = TASTE
    return origins


def _by_position(positions: np.ndarray) -> list[np.ndarray]:
    """Indices of the second events of all users, of the third, and so on."""
    order = np.argsort(positions, kind="stable")
    ends = np.cumsum(np.bincount(positions))
    return np.split(order, ends[:-1])[1:]
