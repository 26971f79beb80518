"""Fits the curves of "buys this again" on the latest instants of the training users.

Whether an own item comes again is a logistic regression on piecewise linear encodings of what is
known of it (Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep
Learning", NeurIPS 2022), fitted by scikit-learn. It takes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from trainer.data.histories import Histories
from trainer.data.repeat_lift import repeat_lift
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.repeat_bonus import RepeatBonus
from trainer.encoder.repeat_curves import BINS, share_covered
from trainer.evaluation.baselines.event_log import EventLog
from trainer.training.own_rows import OwnRows, latest_rows

Floats = npt.NDArray[np.float64]

FEWEST_TAKEN = 30
"""With fewer own items that came again, nothing is fitted."""
_RIDGE = 1e-3
"""Penalty of the squared heights, in units of the mean loss of a row."""
_KNOT_ROWS = 30_000


@dataclass(frozen=True)
class RepeatFit:
    """What was fitted.

    Attributes:
        prefixes: how many next instants were looked at.
        taken: how many own items were in them.
        fitted: whether these were enough.
    """

    prefixes: int
    taken: int
    fitted: bool

    def __str__(self) -> str:
        looked_at = f"{self.taken:,} own items in {self.prefixes:,} next instants"
        if self.fitted:
            return f"fitted on {looked_at}"
        return f"frequency and recency: only {looked_at}, {FEWEST_TAKEN} are needed to fit curves"


def fit_repeats(
    catalogue: Catalogue, histories: Histories, own_events: int, period: float | None, seed: int
) -> RepeatFit:
    """Fits the curves of a catalogue's bonus, and where own items stand among all others.

    How often an item comes again is counted on one half of the users for the other one, so that no
    row's outcome is among its inputs.

    Args:
        catalogue: built, with the statistics of its items; its `repeat_bonus` is changed.
        histories: of the training split.
        own_events: window of the user's own items.
        period: what comes next is a period of so many seconds; None: an instant.
        seed: of all draws.
    """
    rng = np.random.default_rng(seed)
    bonus = catalogue.repeat_bonus
    assert bonus is not None
    rows = latest_rows(catalogue, histories, own_events, period, rng)
    if rows is None:
        return RepeatFit(0, 0, fitted=False)
    taken = int(rows.taken.sum())
    if taken < FEWEST_TAKEN or rows.taken.all():
        return RepeatFit(rows.prefixes, taken, fitted=False)
    log = EventLog(histories, catalogue.items)
    half = rng.random(len(histories)) < 0.5
    of_others = [_item_repeats(log, half[log.user] != side) for side in (False, True)]
    side = half[rows.user[rows.prefix]]
    repeats = np.where(side[:, None], of_others[True][rows.item], of_others[False][rows.item])
    inputs = np.concatenate([rows.inputs, repeats], axis=1).astype(np.float32)
    _fit_curves(bonus, inputs, rows, rng)
    bonus.curves.item_repeats.assign(_item_repeats(log, np.ones(log.user.size, bool)))
    _place_among_all(bonus, catalogue, rows)
    return RepeatFit(rows.prefixes, taken, fitted=True)


def _fit_curves(
    bonus: RepeatBonus, inputs: npt.NDArray[np.float32], rows: OwnRows, rng: np.random.Generator
) -> None:
    """Fits knots, heights and intercept.

    Of a prefix with c items that came again each row weighs 1 / sqrt(c): between counting every
    user alike and counting every item alike, as the primary measure does.
    """
    taken = rows.taken
    again = np.bincount(rows.prefix, taken, rows.prefixes)[rows.prefix]
    weight = rows.weight / np.sqrt(np.maximum(again, 1.0))
    weight[again == 0] = 0.0  # Who takes nothing again says nothing about the order.
    knots = _knots(inputs, taken, rng)
    encoded = np.concatenate(
        [share_covered(inputs, knots[:, k], knots[:, k + 1]).numpy() for k in range(BINS)], axis=1
    )
    used = weight > 0
    weight = weight[used] / weight[used].mean()
    regression = LogisticRegression(C=1.0 / (_RIDGE * used.sum()), max_iter=500, tol=1e-4)
    regression.fit(encoded[used], taken[used], sample_weight=weight)
    bonus.curves.knots.assign(knots)
    bonus.curves.heights.assign(regression.coef_.reshape(BINS, -1).T)
    bonus.curves.intercept.assign(regression.intercept_[0])


def _knots(
    inputs: npt.NDArray[np.float32], taken: npt.NDArray[np.bool_], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Quantiles of each input, float32 [inputs, BINS + 1], ascending.

    Rows that came again and rows that did not have an equal say, so that the curves are fine where
    something is decided. Of equal knots all but the first span nothing.
    """
    parts = [np.flatnonzero(taken), np.flatnonzero(~taken)]
    drawn = [rng.choice(part, min(len(part), _KNOT_ROWS), replace=False) for part in parts]
    quantiles = np.quantile(inputs[np.concatenate(drawn)], np.linspace(0, 1, BINS + 1), axis=0)
    return np.ascontiguousarray(quantiles.T.astype(np.float32))


def _item_repeats(log: EventLog, which: npt.NDArray[np.bool_]) -> Floats:
    """`RepeatCurves.item_repeats`, float64 [items + 1, 2], counted on some events."""
    wanted = None if log.wanted is None else log.wanted[which]
    counted = repeat_lift(
        log.user[which], log.item[which], log.instants_ago[which], log.items, wanted
    )
    return np.stack([np.log(counted.lift), np.log1p(counted.chances)], axis=1)


def _place_among_all(bonus: RepeatBonus, catalogue: Catalogue, rows: OwnRows) -> None:
    """Starts own items where their odds stand among the odds of items that are new to a user.

    The bias of an item is its log popularity less a constant, and the odds of a new item are its
    popularity times the number of new items that come next.
    """
    log_popularity = catalogue.item_bias.numpy()[1:]
    constant = -np.log(np.exp(log_popularity).sum())
    start = -constant - np.log(max(rows.new_items / max(rows.prefixes, 1), 1e-3))
    bonus.out.bias.assign([start])
    bonus.offset.assign(start)
