"""The best counted recommender of each kind, chosen on validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.data.histories import Histories
from trainer.data.item_transitions import ItemTransitions, count_transitions
from trainer.evaluation.baselines.baseline import Baseline, NotApplicable
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.item_knn import ItemKnn
from trainer.evaluation.baselines.own_items_first import OwnItemsFirst
from trainer.evaluation.baselines.popularity import Popularity
from trainer.evaluation.baselines.tifu_knn import TifuKnn
from trainer.evaluation.baselines.transitions import Transitions
from trainer.evaluation.baselines.up_cf import UpCf
from trainer.evaluation.constants_search import highest, to_try

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]
Measure = Callable[[Indices, Indices], npt.NDArray[np.float64]]
"""Ranks of the targets and their splits to a value for each user; NaN leaves the user out."""


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """What some users took next.

    Attributes:
        histories: of the users, up to what is held out.
        targets: integers [targets].
        target_splits: integers [users + 1], user `u` owns
            `targets[target_splits[u]:target_splits[u + 1]]`.
    """

    histories: Histories
    targets: Integers
    target_splits: Indices

    def sample(self, most: int, seed: int) -> HeldOut:
        """So many users at most, drawn at random."""
        if len(self.histories) <= most:
            return self
        rng = np.random.default_rng(seed)
        users = np.sort(rng.choice(len(self.histories), most, replace=False))
        sizes = np.diff(self.target_splits)
        kept = np.isin(np.repeat(np.arange(sizes.size), sizes), users)
        splits = np.concatenate([[0], np.cumsum(sizes[users])])
        return HeldOut(self.histories.take(users), self.targets[kept], splits)

    def mean(self, measure: Measure, ranks: Indices) -> float:
        """Of a measure over the users who have a value; NaN without any.

        Args:
            measure: of the ranks.
            ranks: int64 [targets].
        """
        values = measure(ranks, self.target_splits)
        there = values[~np.isnan(values)]
        return float(there.mean()) if there.size else float("nan")


@dataclasses.dataclass(frozen=True)
class ChosenBaseline:
    """One kind with the constants that did best.

    Attributes:
        baseline: counted on the training histories.
        constants: chosen on validation.
        value: mean of the measure there; NaN without users.
        tried: how many constants were compared.
    """

    baseline: Baseline[Any]
    constants: Any
    value: float
    tried: int

    def ranks(
        self,
        histories: Histories,
        targets: Integers,
        target_splits: Integers,
        exclude_seen: bool = False,
    ) -> Indices:
        """int64 [targets], see `Baseline.ranks`."""
        return self.baseline.ranks(
            [self.constants], histories, targets, target_splits, exclude_seen
        )[0]

    def lists(self, histories: Histories, k: int, exclude_seen: bool = False) -> Indices:
        """int64 [users, k], see `Baseline.lists`."""
        return self.baseline.lists(self.constants, histories, k, exclude_seen)


@dataclasses.dataclass(frozen=True)
class Selection:
    """The best of each kind.

    Attributes:
        chosen: by kind.
        left_out: kinds that do not fit the log, and why.
        transitions: counted for their kind; a model may have them beside it.
    """

    chosen: dict[str, ChosenBaseline]
    left_out: dict[str, str]
    transitions: ItemTransitions

    @property
    def best(self) -> ChosenBaseline:
        """The kind with the highest value; the first one where nobody could be asked."""
        return self.chosen[highest({kind: each.value for kind, each in self.chosen.items()})]


def choose_baselines(
    training: Histories,
    validation: HeldOut,
    items: int,
    measure: Measure,
    exclude_seen: bool,
    seed: int,
) -> Selection:
    """Counts every kind of recommender and chooses what it leaves open.

    Of a large validation split some users decide, see `Baseline.search_users`.

    Args:
        training: whole histories of the training split.
        validation: what the users of the validation split took next.
        items: size of the catalogue.
        measure: the higher, the better.
        exclude_seen: leave the items of a history out. Own items are then no kind of their own:
            what they rank is popularity.
        seed: of every draw; the same seed gives the same choice.
    """
    log = EventLog(training, items)
    popularity = Popularity(log, seed)
    chosen = {Popularity.kind: search(popularity, validation, measure, exclude_seen, seed)}
    best_popularity = chosen[Popularity.kind].constants
    places = popularity.places(best_popularity)
    transitions = count_transitions(training, items)
    makers: dict[str, Callable[[], Baseline[Any]]] = {
        OwnItemsFirst.kind: lambda: OwnItemsFirst(log, popularity, best_popularity),
        Transitions.kind: lambda: Transitions(transitions, places),
        ItemKnn.kind: lambda: ItemKnn(log, places, seed),
        TifuKnn.kind: lambda: TifuKnn(log, places, seed),
        UpCf.kind: lambda: UpCf(log, places, seed),
    }
    left_out = {}
    for kind, make in makers.items():
        if kind == OwnItemsFirst.kind and exclude_seen:
            left_out[kind] = "items that the user already has are left out"
            continue
        try:
            chosen[kind] = search(make(), validation, measure, exclude_seen, seed)
        except NotApplicable as reason:
            left_out[kind] = str(reason)
    return Selection(chosen, left_out, transitions)


def search(
    baseline: Baseline[Any], validation: HeldOut, measure: Measure, exclude_seen: bool, seed: int
) -> ChosenBaseline:
    """Finds the constants of one kind that do best, see `to_try`.

    Args:
        baseline: counted.
        validation: the users who decide, or more than these.
        measure: the higher, the better; of equal values the first one stays.
        exclude_seen: leave the items of a history out.
        seed: draws the users who decide.
    """

    def judge(constants: list[Any], users: HeldOut) -> dict[Any, float]:
        given = (users.histories, users.targets, users.target_splits)
        ranks = baseline.ranks(constants, *given, exclude_seen)
        return dict(zip(constants, (users.mean(measure, row) for row in ranks), strict=True))

    asked = validation.sample(baseline.search_users, seed)
    values: dict[Any, float] = {}
    for constants in to_try(baseline.start, baseline.grid, values):
        values |= judge(constants, asked)
    best = highest(values)
    value = values[best] if asked is validation else judge([best], validation)[best]
    return ChosenBaseline(baseline, best, value, len(values))
