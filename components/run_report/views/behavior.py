"""The behaviour head: how well it foresees that a user takes some actions soon."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup

from components.cluster_combiner.behavior_record import BehaviorRecord, ForeseenFigures
from components.run_report import formats as fmt
from components.run_report.charts.calibration import Dot, calibration_chart
from components.run_report.palette import cluster_colour
from trainer.raw_history import TEST


@dataclasses.dataclass(frozen=True)
class ForeseenRow:
    """One output of `embed`.

    Attributes:
        output: its name.
        meaning: what it says.
        moments: test moments with a known end.
        observed: share of them at which it happened.
        auc: with its interval.
        brier: mean squared error.
        why: whether it is served, and why.
        chart: predicted against observed; None where it was not fitted.
    """

    output: str
    meaning: str
    moments: int
    observed: str
    auc: str
    brier: str
    why: str
    chart: Markup | None


@dataclasses.dataclass(frozen=True)
class BehaviorView:
    """The section.

    Attributes:
        actions: what is foreseen, in words.
        rows: by output.
    """

    actions: str
    rows: list[ForeseenRow]


def behavior_view(record: BehaviorRecord | None) -> BehaviorView | None:
    """The section; None where no head was asked for."""
    if record is None:
        return None
    actions = " or ".join(record.actions)
    days = "day" if record.days == 1 else f"{record.days} days"
    meanings = {
        "buys_next": f"the next action is {actions}",
        "buys_within": f"{actions} within {days}",
    }
    rows = [
        _row(output, meanings[output], figures, place)
        for place, (output, figures) in enumerate(record.figures.items())
    ]
    return BehaviorView(actions, rows)


def _row(output: str, meaning: str, figures: ForeseenFigures, place: int) -> ForeseenRow:
    dots = [Dot(group.moments, group.predicted, group.observed) for group in figures.bins]
    moments, taken = figures.moments[TEST], figures.taken[TEST]
    return ForeseenRow(
        output=output,
        meaning=meaning,
        moments=moments,
        observed=fmt.percent(taken / moments, 2) if moments else fmt.MISSING,
        auc=f"{figures.auc:.3f} ({figures.low:.3f} to {figures.high:.3f})"
        if fmt.known(figures.auc)
        else fmt.MISSING,
        brier=fmt.metric(figures.brier),
        why=figures.why,
        chart=calibration_chart(
            dots,
            label=f"{output}: predicted against what happened",
            colour=cluster_colour(place),
        )
        if dots
        else None,
    )
