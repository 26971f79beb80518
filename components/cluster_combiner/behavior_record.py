"""The behaviour head in `comparison.json`: which figures are served, and how good they are."""

from __future__ import annotations

from trainer.artifact_record import Measure, Record


class ReliabilityBin(Record):
    """About a tenth of the test moments, by rising probability.

    Attributes:
        moments: how many.
        predicted: mean of what was predicted.
        observed: share at which it happened.
    """

    moments: int
    predicted: float
    observed: float


class ForeseenFigures(Record):
    """How good one figure is, on moments of the test window; see `trainer/data/moments.py`.

    Attributes:
        served: whether `embed` has it.
        why: in words.
        moments: how many moments with a known end there are, by split.
        taken: at how many of them it happened, by split.
        validation_auc: what decides whether it is served; None where that cannot be said.
        auc: on test; None where the figure was not fitted, as all that follows.
        low: lower end of its 95 % interval, by a bootstrap of the users.
        high: upper end.
        brier: mean squared error of the probabilities.
        predicted: mean of the probabilities.
        observed: share of the moments at which it happened.
        bins: ten groups of about equal size.
    """

    served: bool
    why: str
    moments: dict[str, int]
    taken: dict[str, int]
    validation_auc: Measure = None
    auc: Measure = None
    low: Measure = None
    high: Measure = None
    brier: Measure = None
    predicted: Measure = None
    observed: Measure = None
    bins: list[ReliabilityBin] = []


class BehaviorRecord(Record):
    """The behaviour head that was asked for (`behavior_head.actions`).

    Attributes:
        actions: what it foresees.
        days: how far `buys_within` reaches.
        figures: by output of `embed`.
    """

    actions: list[str]
    days: int
    figures: dict[str, ForeseenFigures]
