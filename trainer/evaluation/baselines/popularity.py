"""Popularity: every user gets the items that most events of the training log have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.evaluation.baselines.baseline import Baseline
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.sparse_ranks import ItemScores
from trainer.evaluation.compared_models import POPULARITY

Indices = npt.NDArray[np.int64]

_DAY = 86_400.0
_LAST_DAYS = (1 / 24, 1.0, 3.0, 7.0, 14.0, 28.0, 56.0, 91.0)
_HALF_LIVES = (7.0, 28.0, 91.0)
_OPENING_WEIGHTS = (1.0, 10.0, 100.0)
ONLY = math.inf
"""Weight of target actions where no other action counts."""
_ACTION_WEIGHTS = (1.0, 3.0, 10.0, 30.0, ONLY)


@dataclass(frozen=True)
class Period:
    """Which events of the training log count.

    Attributes:
        last_days: those of so many days before its end; None = all.
        half_life_days: an event counts half as much as one so many days later; None = as much.
    """

    last_days: float | None = None
    half_life_days: float | None = None

    def __str__(self) -> str:
        if self.last_days is not None:
            hours = self.last_days * 24
            return f"last {hours:.0f} h" if hours < 24 else f"last {self.last_days:g} days"
        if self.half_life_days is not None:
            return f"half-life {self.half_life_days:g} days"
        return "whole log"


WHOLE_LOG = Period()


@dataclass(frozen=True)
class PopularityConstants:
    """What popularity leaves open.

    Attributes:
        period: which events count.
        opening_weight: how many others an event counts that opened an instant; of several events
            at one instant each is the first with the same chance.
        action_weight: how many others an event with a target action counts; `ONLY` = the others
            count nothing.
    """

    period: Period = WHOLE_LOG
    opening_weight: float = 1.0
    action_weight: float = 1.0

    def __str__(self) -> str:
        openings = "" if self.opening_weight == 1 else f", openings x {self.opening_weight:g}"
        return f"{self.period}{openings}{in_words(self.action_weight)}"


BY_EVENTS = PopularityConstants()


class Popularity(Baseline[PopularityConstants]):
    """Ranks items by their training events; equal ones by those of the whole log, then at random.

    Args:
        training: the training log.
        seed: draws the order of items that nothing tells apart.
    """

    kind = POPULARITY
    start = BY_EVENTS

    def __init__(self, training: EventLog, seed: int) -> None:
        self._items = training.items
        self._training = training
        self._ties = random_order(training.items, seed)
        self._places: dict[PopularityConstants, Indices] = {}
        time = training.time
        self._days_before_end = (time.max(initial=0) - time) / _DAY
        span = self._days_before_end.max(initial=0.0)
        self.grid: dict[str, Sequence[Any]] = {
            "period": [
                WHOLE_LOG,
                *(Period(last_days=days) for days in _LAST_DAYS if days < span),
                *(Period(half_life_days=days) for days in _HALF_LIVES if days < 2 * span),
            ],
            "opening_weight": opening_weights(training, _OPENING_WEIGHTS),
            "action_weight": action_weights(training, _ACTION_WEIGHTS),
        }

    def places(self, constants: PopularityConstants) -> Indices:
        """int64 [items + 1]: the order of the catalogue, see `catalogue_places`."""
        if constants not in self._places:
            weights = opening_weighted(self._training, constants.opening_weight)
            whole = self._count(np.ones(weights.size))
            weights *= action_weighted(self._training, constants.action_weight)
            counted = self._count(weights * self._period_weights(constants.period))
            self._places[constants] = catalogue_places(self._ties, counted, whole)
        return self._places[constants]

    def scores(
        self, log: EventLog, constants: Sequence[PopularityConstants]
    ) -> Iterator[ItemScores]:
        """See `Baseline.scores`."""
        nothing = sp.csr_matrix((len(log), self._items + 1))
        for each in constants:
            yield ItemScores(nothing, self.places(each))

    def _count(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        counts = np.bincount(self._training.item, weights, self._items + 1)
        return counts[1:].astype(np.float64)

    def _period_weights(self, period: Period) -> npt.NDArray[np.float64]:
        days = self._days_before_end
        if period.last_days is not None:
            return (days <= period.last_days).astype(np.float64)
        if period.half_life_days is not None:
            return np.exp2(-days / period.half_life_days)
        return np.ones(days.size)


def opening_weights(training: EventLog, weights: Sequence[float]) -> Sequence[float]:
    """The weights to try; one where every event opens an instant, so that they say nothing."""
    return (1.0,) if (training.opening_chance == 1).all() else weights


def opening_weighted(log: EventLog, weight: float) -> npt.NDArray[np.float64]:
    """float64 [known events], 1, or `weight` as far as the event opened its instant."""
    return 1.0 + (weight - 1.0) * log.opening_chance


def action_weights(training: EventLog, weights: Sequence[float]) -> Sequence[float]:
    """The weights to try; one where models are asked for every action."""
    return (1.0,) if training.wanted is None else weights


def action_weighted(log: EventLog, weight: float) -> npt.NDArray[np.float64]:
    """float64 [known events], 1, or `weight` where the event has a target action; see `ONLY`."""
    if log.wanted is None or weight == 1:
        return np.ones(log.item.size)
    if weight == ONLY:
        return log.wanted.astype(np.float64)
    return np.where(log.wanted, weight, 1.0)


def in_words(action_weight: float) -> str:
    """The weight of target actions for people, behind other constants; nothing where it is 1."""
    if action_weight == ONLY:
        return ", target actions only"
    return "" if action_weight == 1 else f", target actions x {action_weight:g}"
