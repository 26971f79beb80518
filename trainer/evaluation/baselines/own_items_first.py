"""Own items: what a user has had comes first, then what everybody takes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trainer.data.repeat_lift import repeat_lift
from trainer.evaluation.baselines.baseline import Baseline
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.popularity import (
    BY_EVENTS,
    ONLY,
    Popularity,
    PopularityConstants,
    action_weighted,
    action_weights,
    in_words,
    opening_weighted,
    opening_weights,
)
from trainer.evaluation.baselines.sparse_ranks import ItemScores
from trainer.evaluation.compared_models import OWN_ITEMS

Values = npt.NDArray[np.float64]

_HALF_LIVES: dict[Literal["days", "instants"], Sequence[float]] = {
    "days": (1.0, 3.0, 7.0, 28.0, 91.0),
    "instants": (1.0, 5.0, 10.0, 20.0, 40.0, 80.0),
}
_OPENING_WEIGHTS = (1.0, 3.0, 10.0, 30.0, 100.0)
_LIFT_POWERS = (0.0, 0.5, 1.0)
_ACTION_WEIGHTS = (0.1, 1.0, 3.0, 10.0, 30.0, ONLY)
"""Less than 1 as well: what was bought may not be bought again soon."""
_FADED = 1000.0
"""After so many half-lives an event counts no less: its weight must not become 0."""


@dataclass(frozen=True)
class Aging:
    """How much an event counts by its age.

    Attributes:
        unit: what the age is measured in: "days", "instants" of the user, "none" = every event
            counts alike, "latest" = only an item's latest event counts, the later the more.
        half_life: an event counts half as much as one that is so much younger.
    """

    unit: Literal["none", "days", "instants", "latest"] = "none"
    half_life: float = 0.0

    def weights(self, log: EventLog) -> Values:
        """float64 [known events], above 0."""
        if self.unit == "none":
            return np.ones(log.item.size)
        if self.unit == "latest":
            return 1.0 / (1.0 + log.instants_ago)
        age = log.days_ago if self.unit == "days" else log.instants_ago
        return np.exp2(-np.minimum(age / self.half_life, _FADED))

    def __str__(self) -> str:
        names = {"none": "frequency", "latest": "recency"}
        return names.get(self.unit, f"half-life {self.half_life:g} {self.unit}")


BY_FREQUENCY = Aging()


@dataclass(frozen=True)
class OwnItemsConstants:
    """What own items leave open.

    Attributes:
        aging: how much an event counts by its age.
        opening_weight: how many others an event counts that opened an instant; by recency all
            count alike.
        popularity: the order of equal own items, and of all that is new to the user.
        lift_power: to which power the lift of an item counts (`trainer/data/repeat_lift.py`): with
            0 not at all, with 1 an item that is taken again twice as often as others counts twice.
        action_weight: how many others an event with a target action counts; by recency all count
            alike. `ONLY` = an own item without such an event stands behind those with one.
    """

    aging: Aging = BY_FREQUENCY
    opening_weight: float = 1.0
    popularity: PopularityConstants = BY_EVENTS
    lift_power: float = 0.0
    action_weight: float = 1.0

    def __str__(self) -> str:
        openings = "" if self.opening_weight == 1 else f", openings x {self.opening_weight:g}"
        lift = "" if self.lift_power == 0 else f", times the item's lift^{self.lift_power:g}"
        actions = in_words(self.action_weight)
        return f"{self.aging}{openings}{lift}{actions}; then popularity, {self.popularity}"


class OwnItemsFirst(Baseline[OwnItemsConstants]):
    """Ranks what a user has had by how often and how lately, and all else by popularity.

    Args:
        training: the training log.
        popularity: counted on it.
        best_popularity: its constants that a search starts with.
    """

    kind = OWN_ITEMS

    def __init__(
        self,
        training: EventLog,
        popularity: Popularity,
        best_popularity: PopularityConstants = BY_EVENTS,
    ) -> None:
        self._items = training.items
        self._popularity = popularity
        counted = repeat_lift(
            training.user,
            training.item,
            training.instants_ago,
            training.items,
            training.wanted,
        )
        self._lift = counted.lift
        self.start = OwnItemsConstants(popularity=best_popularity)
        ages = [Aging(unit, value) for unit, values in _HALF_LIVES.items() for value in values]
        periods = popularity.grid["period"]
        openings = popularity.grid["opening_weight"]
        actions = popularity.grid["action_weight"]
        self.grid: dict[str, Sequence[Any]] = {
            "aging": [BY_FREQUENCY, *ages, Aging("latest")],
            "opening_weight": opening_weights(training, _OPENING_WEIGHTS),
            "lift_power": _LIFT_POWERS,
            "action_weight": action_weights(training, _ACTION_WEIGHTS),
            "popularity": [
                PopularityConstants(*each) for each in itertools.product(periods, openings, actions)
            ],
        }

    def scores(self, log: EventLog, constants: Sequence[OwnItemsConstants]) -> Iterator[ItemScores]:
        """See `Baseline.scores`."""
        for each in constants:
            weights = each.aging.weights(log)
            if each.aging.unit == "latest":
                scores = log.latest(weights)
            else:
                weights = weights * action_weighted(log, each.action_weight)
                scores = log.sums(weights * opening_weighted(log, each.opening_weight))
            scores.data *= self._lift[scores.indices] ** each.lift_power
            yield ItemScores(scores, self._popularity.places(each.popularity))
