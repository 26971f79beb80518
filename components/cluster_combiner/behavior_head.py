"""The behaviour head: fitted on training moments, calibrated on validation, judged on test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.cluster_combiner.behavior_record import (
    BehaviorRecord,
    ForeseenFigures,
    ReliabilityBin,
)
from components.cluster_combiner.combiner_inputs import CombinerInputs
from trainer.data import features
from trainer.data.encoder_inputs import OWN_ACTION, OWN_TIME, cut_inputs
from trainer.data.histories import Histories, read_histories
from trainer.data.moments import UNKNOWN, Moments
from trainer.data.windows import padded_columns
from trainer.encoder.encoder import BehaviorEncoder
from trainer.evaluation.probabilities import auc, auc_with_interval, brier, reliability
from trainer.evaluation.scorer import Scorer
from trainer.progress import progress
from trainer.raw_history import TEST, TRAIN, VALIDATION
from trainer.serving.behavior_head import BUYS_NEXT, BUYS_WITHIN, BehaviorHead, HeadInputs
from trainer.training.behavior_fit import LogisticLine, fit_line

MOST_MOMENTS = 50_000
"""Moments of a split that are looked at."""
ENOUGH_MOMENTS = 30
"""Of fewer moments with the action, or without it, nothing is fitted and nothing is said."""
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class BehaviorFit:
    """What is served, and what is told.

    Attributes:
        head: the figures that are good enough; None if none is, or no head was asked for.
        record: None if no head was asked for.
    """

    head: BehaviorHead | None = None
    record: BehaviorRecord | None = None


@dataclass(frozen=True)
class Seen:
    """The moments of one split for one figure, where the end is known.

    Attributes:
        inputs: float32 [m, width], see `HeadInputs`.
        happened: bool [m].
        user: int64 [m].
    """

    inputs: npt.NDArray[np.float32]
    happened: npt.NDArray[np.bool_]
    user: npt.NDArray[np.int64]

    @property
    def enough(self) -> bool:
        """Whether there are enough moments of both kinds."""
        taken = int(self.happened.sum())
        return min(taken, len(self.happened) - taken) >= ENOUGH_MOMENTS


def fit_behavior_head(inputs: CombinerInputs, training: Histories) -> BehaviorFit:
    """Fits and judges the head; nothing is done where none was asked for.

    Args:
        inputs: of the component.
        training: whole training histories.
    """
    config = inputs.behavior
    if not config.actions:
        return BehaviorFit()
    names = [name.decode() for name in inputs.graph.vocabulary_by_name(features.ACTION_VOCABULARY)]
    # What no training history has cannot be learnt: there are too few moments then.
    actions = tuple(names.index(name) + 1 for name in config.actions if name in names)
    made = HeadInputs.of(len(names))
    new_items = inputs.encoder.new_items
    splits = {TRAIN: training} | {
        split: read_histories(files, inputs.graph, new_items)
        for split, files in inputs.later.items()
    }
    rng = np.random.default_rng(inputs.seed)
    seen: dict[str, dict[str, Seen]] = {BUYS_NEXT: {}, BUYS_WITHIN: {}}
    for split, histories in splits.items():
        moments = Moments.of(histories, actions, config.seconds).sample(MOST_MOMENTS, rng)
        rows = head_inputs(inputs.encoder, made, moments.latest_events(histories, _latest(inputs)))
        for output, label in ((BUYS_NEXT, moments.next), (BUYS_WITHIN, moments.within)):
            known = label != UNKNOWN
            seen[output][split] = Seen(rows[known], label[known] == 1, moments.user[known])

    lines: dict[str, LogisticLine] = {}
    figures: dict[str, ForeseenFigures] = {}
    for output, of_split in seen.items():
        line, figures[output] = fit_figure(of_split, config.min_auc, inputs.seed)
        if line is not None:
            lines[output] = line
        progress.info("behaviour head, %s: %s", output, figures[output].why)
    head = {name: (line.weights, line.bias) for name, line in lines.items()}
    return BehaviorFit(
        head=BehaviorHead(made, head) if head else None,
        record=BehaviorRecord(actions=list(config.actions), days=config.days, figures=figures),
    )


def head_inputs(
    encoder: BehaviorEncoder, made: HeadInputs, histories: Histories
) -> npt.NDArray[np.float32]:
    """float32 [users, width], the inputs of the head at the end of each history."""
    queries = Scorer(encoder, histories).queries()
    columns = padded_columns(histories.columns)
    length = tf.constant(encoder.tower.max_events)
    parts = []
    for first in range(0, len(histories), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        starts, ends = (tf.constant(x[rows]) for x in (histories.splits[:-1], histories.splits[1:]))
        latest = cut_inputs(columns, starts, ends, 1, length)
        parts.append(made(tf.constant(queries[rows]), latest[OWN_ACTION], latest[OWN_TIME]).numpy())
    return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)


def fit_figure(
    seen: Mapping[str, Seen], min_auc: float, seed: int
) -> tuple[LogisticLine | None, ForeseenFigures]:
    """Fits and judges one figure.

    Args:
        seen: the moments of all splits.
        min_auc: the setting.
        seed: of the interval.

    Returns:
        The line that is served, None if it is not; and how good it is.
    """
    found = ForeseenFigures(
        served=False,
        why="",
        moments={split: len(part.happened) for split, part in seen.items()},
        taken={split: int(part.happened.sum()) for split, part in seen.items()},
    )
    for split, part in seen.items():
        if not part.enough:
            why = _too_few(split, found.taken[split], found.moments[split])
            return None, found.model_copy(update={"why": f"off, {why}"})
    validation, test = seen[VALIDATION], seen[TEST]
    line = fit_line(seen[TRAIN].inputs, seen[TRAIN].happened)
    reached = auc(line(validation.inputs), validation.happened)
    line = line.calibrated(validation.inputs, validation.happened)
    predicted = line(test.inputs)
    judged = auc_with_interval(predicted, test.happened, test.user, seed)
    served = reached > min_auc
    why = (
        f"{'on' if served else 'off'}, validation AUC {reached:.3f} is "
        f"{'above' if served else 'not above'} {min_auc:g}; "
        f"test AUC {judged.value:.3f} ({judged.low:.3f} to {judged.high:.3f})"
    )
    figures = found.model_copy(
        update={
            "served": served,
            "why": why,
            "validation_auc": reached,
            "auc": judged.value,
            "low": judged.low,
            "high": judged.high,
            "brier": brier(predicted, test.happened),
            "predicted": float(predicted.mean()),
            "observed": float(test.happened.mean()),
            "bins": [
                ReliabilityBin(moments=n, predicted=mean, observed=share)
                for n, mean, share in reliability(predicted, test.happened)
            ],
        }
    )
    return (line if served else None), figures


def _too_few(split: str, taken: int, moments: int) -> str:
    """Why nothing can be said of a split's moments."""
    if not moments:
        return f"the log is too short to know of any {split} moment what followed"
    return (
        f"{taken} of {moments} {split} moments have the action; at least {ENOUGH_MOMENTS} with and "
        "without it are needed"
    )


def _latest(inputs: CombinerInputs) -> int:
    """How many of the latest events the encoder reads."""
    return int(inputs.encoder.tower.max_events)
