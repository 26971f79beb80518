"""Everything that was drawn for one log, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tfx_pipeline.simulation.choices import Choices, draw_choices
from tfx_pipeline.simulation.distances import item_shares
from tfx_pipeline.simulation.model import ShopModel, draw_model
from tfx_pipeline.simulation.population import Population, draw_population, moves
from tfx_pipeline.simulation.settings import SimulationConfig
from tfx_pipeline.simulation.timetable import Timetable, draw_timetable


@dataclass(frozen=True)
class Draws:
    """A log as arrays of indices.

    Attributes:
        model: the distributions.
        population: the users.
        timetable: the events' times.
        choices: the events' items.
    """

    model: ShopModel
    population: Population
    timetable: Timetable
    choices: Choices

    @cached_property
    def moves(self) -> np.ndarray:
        """Float64 [K, K]: the probability of each cluster after the drift, given the one before."""
        return moves(self.population, self.model.config.clusters)

    @cached_property
    def priors(self) -> np.ndarray:
        """Float64 [2, K]: the clusters' expected shares of the users before and after the drift."""
        counts = np.bincount(self.population.before, minlength=self.model.config.clusters)
        before = counts / counts.sum()
        return np.stack([before, before @ self.moves])

    @cached_property
    def item_shares(self) -> np.ndarray:
        """Float64 [K, V]: see `distances.item_shares`."""
        return item_shares(self.model, self.population.lengths)

    def last_events(self, users: np.ndarray) -> np.ndarray:
        """The last event of each user: int64 [n]."""
        return self.timetable.offsets[users + 1] - 1

    def histories(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All events of some users but their last ones.

        Args:
            users: int64 [n].

        Returns:
            int64 [m] events, user after user, and int64 [m] the place in `users` of each.
        """
        lengths = self.last_events(users) - self.timetable.offsets[users]
        owners = np.repeat(np.arange(len(users)), lengths)
        within = np.arange(len(owners)) - (np.cumsum(lengths) - lengths)[owners]
        return self.timetable.offsets[users][owners] + within, owners


def draw(config: SimulationConfig) -> tuple[Draws, np.random.Generator]:
    """Draws a log.

    Every part has a stream of random numbers of its own, so that a setting of one part leaves
    the draws of the others as they are.

    Returns:
        The log, and a further source of randomness for what is computed from it.
    """
    streams = np.random.SeedSequence(config.seed).spawn(6)
    shop, people, times, events, individual, further = map(np.random.default_rng, streams)
    model = draw_model(config, shop)
    population = draw_population(config, people)
    timetable = draw_timetable(config, population, times)
    choices = draw_choices(model, population, timetable, events, individual)
    return Draws(model, population, timetable, choices), further
