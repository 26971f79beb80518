"""Item transitions without an encoder: what followed a user's latest items in the training log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.item_transitions import REACH, ItemTransitions, TransitionBonus
from trainer.evaluation.baselines.baseline import Baseline
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.sparse_ranks import ItemScores
from trainer.evaluation.compared_models import ITEM_TRANSITIONS

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TransitionConstants:
    """Nothing: those of `trainer.data.item_transitions` hold."""

    def __str__(self) -> str:
        return "as counted"


class Transitions(Baseline[TransitionConstants]):
    """Ranks items by the bonus that the item transitions give them; all else by popularity.

    Events of one instant have the order of the log here, as they have for the bonus.

    Args:
        transitions: counted on the training histories.
        places: order of the items without a bonus, see `catalogue_places`.
    """

    kind = ITEM_TRANSITIONS
    start = TransitionConstants()
    grid = {}

    def __init__(self, transitions: ItemTransitions, places: Indices) -> None:
        self._items = places.size - 1
        self._places = places
        self._bonus = TransitionBonus(transitions)

    def scores(
        self, log: EventLog, constants: Sequence[TransitionConstants]
    ) -> Iterator[ItemScores]:
        """See `Baseline.scores`."""
        item, bonus = (part.numpy() for part in self._bonus.bonus(latest_items(log.histories)))
        user, place = np.nonzero((item > 0) & (bonus > 0))
        entries = (bonus[user, place].astype(np.float64), (user, item[user, place]))
        scores = sp.csr_matrix(entries, (len(log), self._items + 1))
        for _ in constants:
            yield ItemScores(scores, self._places)


def latest_items(histories: Histories) -> npt.NDArray[np.int32]:
    """int32 [users, REACH]: the users' latest items, newest first; 0 = padding."""
    event = histories.splits[1:, None] - 1 - np.arange(REACH)
    there = event >= histories.splits[:-1, None]
    item = np.append(histories.columns[features.ITEM], 0)
    return np.where(there, item[np.where(there, event, -1)], 0).astype(np.int32)
