"""Data quality: what was read, what was dropped and why, how events are spread."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup

from components.behavior_example_gen.quality_record import DataQualityRecord
from components.run_report import formats as fmt
from components.run_report.charts.bars import Bar, Group, bar_chart
from components.run_report.charts.quantiles import NAMES, quantile_chart
from components.run_report.charts.timeline import timeline
from components.run_report.inputs import ReportInputs

REASONS = {
    "unreadable": "the line could not be parsed",
    "missing_user_id": "no user id",
    "missing_item_id": "no item id",
    "bad_timestamp": "the time could not be read",
    "absurd_timestamp": "the time lies in the future or before any shop",
    "duplicate": "exact copy of another row",
    "cancellation": "the row is a return or a cancellation",
    "cancelled_purchase": "the purchase was returned; a history that ends before has it still",
    "bot_user": "the user has more events than a person makes",
    "rare_item": "the item has too few events to be trained on, and no judged user has the row",
    "rare_user": "the user has too few events to be trained on, and is not judged",
    "late_user": "the user came so late that no history precedes what would be judged",
}

COLOUR = "#0072b2"
DROPPED = "#d55e00"


@dataclasses.dataclass(frozen=True)
class DropRow:
    """Rows dropped for one reason."""

    name: str
    meaning: str
    rows: int
    share: str


@dataclasses.dataclass(frozen=True)
class DataView:
    """The whole section."""

    figures: DataQualityRecord
    drops: list[DropRow]
    unaccounted: int
    many_per_row: bool
    flow: Markup
    over_time: Markup | None
    per_user: Markup | None
    quantiles: list[tuple[str, str]]
    actions: list[tuple[str, int, str]]
    titled: str
    untrained: str


def data_view(inputs: ReportInputs) -> DataView | None:
    """The section; None when the run has no data quality artifact."""
    data = inputs.data_quality
    if data is None:
        return None
    drops = sorted(((n, r) for r, n in data.dropped.items() if n), reverse=True)
    total_actions = sum(data.actions.values())
    titled = ""
    if inputs.items_listed:
        share = (inputs.items_titled or 0) / inputs.items_listed
        titled = f"{fmt.percent(share)} of {fmt.integer(inputs.items_listed)} items have a title"
    return DataView(
        figures=data,
        drops=[
            DropRow(fmt.words(reason), REASONS.get(reason, ""), rows, _share(rows, data.rows_read))
            for rows, reason in drops
        ],
        unaccounted=_unaccounted(data),
        many_per_row=data.events_kept > data.rows_read,
        flow=_flow(data, drops),
        over_time=_over_time(data),
        per_user=_per_user(data),
        quantiles=[
            (_QUANTILES[name], fmt.decimal(data.events_per_user.get(name))) for name in NAMES
        ],
        actions=[
            (action, count, fmt.percent(count / total_actions))
            for action, count in sorted(data.actions.items(), key=lambda pair: -pair[1])
        ]
        if total_actions
        else [],
        titled=titled,
        untrained=", ".join(
            f"{fmt.integer(rows)} of {_UNTRAINED.get(reason, fmt.words(reason))}"
            for reason, rows in data.left_out_of_training.items()
        ),
    )


_UNTRAINED = {"rare_item": "rare items", "rare_user": "users with few events"}


_QUANTILES = {
    "min": "Fewest",
    "p25": "A quarter have at most",
    "median": "Half have at most",
    "p75": "Three quarters have at most",
    "p99": "99% have at most",
    "max": "Most",
}


def _share(rows: int, total: int) -> str:
    return fmt.percent(rows / total) if total else fmt.MISSING


def _unaccounted(data: DataQualityRecord) -> int:
    """Rows that were neither kept nor counted as dropped; 0 where a row holds many events."""
    if data.events_kept > data.rows_read:
        return 0
    return data.rows_read - data.events_kept - sum(data.dropped.values())


def _flow(data: DataQualityRecord, drops: list[tuple[int, str]]) -> Markup:
    rows = [("Rows read", data.rows_read, "#9a9a9a"), ("Events kept", data.events_kept, COLOUR)]
    rows += [(fmt.words(reason), count, DROPPED) for count, reason in drops]
    groups = [Group(n, (Bar(c, colour, fmt.integer(c)),)) for n, c, colour in rows]
    return bar_chart(groups, label="Rows read, kept and dropped", name_width=150)


def _over_time(data: DataQualityRecord) -> Markup | None:
    periods = [
        (start, period.events)
        for period in data.events_per_period
        if (start := fmt.parse_time(period.start)) is not None
    ]
    if len(periods) < 2:
        return None
    names = (("validation from", data.split.validation_cut), ("test from", data.split.test_cut))
    cuts = [
        (moment, f"{name} {fmt.moment(text).split(',')[0]}")
        for name, text in names
        if (moment := fmt.parse_time(text)) is not None
    ]
    starts, events = zip(*sorted(periods), strict=True)
    return timeline(starts, events, cuts, colour=COLOUR)


def _per_user(data: DataQualityRecord) -> Markup | None:
    quantiles = {
        name: found for name in NAMES if (found := data.events_per_user.get(name)) is not None
    }
    if len(quantiles) < len(NAMES):
        return None
    return quantile_chart(
        quantiles, label="Events per user", x_title="events per user", colour=COLOUR
    )
