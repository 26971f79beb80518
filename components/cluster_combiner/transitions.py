"""How much item transitions count beside the global encoder, fitted on validation users.

Every compared model has them with the same weight, including the global encoder and the controls,
so that their gain is never taken for one of the clusters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from components.cluster_combiner.record import TransitionsRecord
from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.item_transitions import REACH, ItemTransitions, TransitionBonus
from trainer.data.windows import padded_columns, window
from trainer.evaluation.chance import ENOUGH_USERS, too_few
from trainer.evaluation.metrics import mean_interval
from trainer.evaluation.scorer import Scorer
from trainer.raw_history import VALIDATION

WEIGHTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Weights that are tried. A weight is the bonus of the most raised item of a user, as a mean over
users, in units of the scores."""
_CONFIDENCE = 0.95
_USERS_AT_ONCE = 1024


class TransitionsFit(NamedTuple):
    """The outcome.

    Attributes:
        transitions: their strengths multiplied with the weight; None if they bring nothing.
        record: the gain, and why they are used or not.
    """

    transitions: ItemTransitions | None
    record: TransitionsRecord

    @classmethod
    def none(cls, reason: str) -> TransitionsFit:
        """No transitions at all."""
        return cls(
            None, TransitionsRecord(weight=0.0, difference=0.0, low=0.0, high=0.0, reason=reason)
        )


def fit_transitions(
    counted: ItemTransitions, scorer: Scorer, histories: Histories, queries: np.ndarray, seed: int
) -> TransitionsFit:
    """Chooses the weight, and decides by cross-fitting whether transitions are used at all.

    The weight is chosen by NDCG@10, not by likelihood as the specialists' strengths are: a bonus
    makes a model more certain, which lowers the likelihood even where the right items move up.

    Args:
        counted: from the training histories.
        scorer: over the validation histories.
        histories: of the validation users, with their held-out items.
        queries: float32 [users, width], the global encoder's.
        seed: of the halves.
    """
    users = histories.next_item > 0
    scale = _mean_largest(counted, histories)
    if not users.any() or scale == 0:
        reason = "there are no transitions, or no validation users to judge them on"
        return TransitionsFit.none(reason)
    if users.sum() < ENOUGH_USERS:
        return TransitionsFit.none(f"not used: {too_few(int(users.sum()), VALIDATION)}")
    scaled = counted.times(1 / scale)
    trial = scorer.with_transitions(scaled)
    weights = np.array((0.0, *WEIGHTS))
    values = np.stack([trial.values(queries, float(w))[users] for w in weights])
    half = np.random.default_rng(seed).integers(0, 2, values.shape[1])
    crossfit = values[0].copy()
    for held_out in (0, 1):
        chosen = int(np.argmax(_mean(values[:, half != held_out])))
        crossfit[half == held_out] = values[chosen, half == held_out]
    gain = mean_interval(crossfit - values[0], _CONFIDENCE)
    weight = float(weights[np.argmax(values.mean(axis=1))])
    kept = gain.low > 0 and weight > 0
    reason = (
        f"cross-fitted validation NDCG@10 {gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) "
        f"on {values[0].mean():.4f}: "
        + (f"weight {weight:g} in every model" if kept else "not used, no clear gain")
    )
    record = TransitionsRecord(
        weight=weight if kept else 0.0,
        difference=gain.mean,
        low=gain.low,
        high=gain.high,
        reason=reason,
    )
    return TransitionsFit(scaled.times(weight) if kept else None, record)


def _mean(values: np.ndarray) -> np.ndarray:
    """Each weight's mean, [weights]; zeros for a half without users, which chooses weight 0."""
    return values.mean(axis=1) if values.shape[1] else np.zeros(len(values))


def _mean_largest(counted: ItemTransitions, histories: Histories) -> float:
    """Mean of the largest bonus of each user, over the users whose history raises any item.

    Only items that are raised have a place in memory: a user raises at most 1,000, and a catalogue
    may have a million.
    """
    splits, rows = histories.splits, len(counted.followers)
    columns = {features.ITEM: histories.columns[features.ITEM]}
    item = padded_columns(columns)[features.ITEM]
    memory, largest = TransitionBonus(counted), np.zeros(len(histories), np.float32)
    for begin in range(0, len(histories), _USERS_AT_ONCE):
        stop = min(begin + _USERS_AT_ONCE, len(histories))
        events = window(item, splits[begin:stop], splits[begin + 1 : stop + 1], REACH)
        raised, bonus = (t.numpy() for t in memory.bonus(events))
        user, place = np.nonzero(raised)
        found, which = np.unique(user * rows + raised[user, place], return_inverse=True)
        sums = np.zeros(len(found), np.float32)
        np.add.at(sums, which, bonus[user, place])
        np.maximum.at(largest, begin + found // rows, sums)
    above = largest[largest > 0]
    return float(above.mean(dtype=np.float64)) if len(above) else 0.0
