"""What the whole log decides once all files are read: is it usable, where are the cuts."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from components.behavior_example_gen.cleaning.cleaning import BAD_REASONS
from components.behavior_example_gen.cleaning.event_rules import NEVER
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.steps.reports import FileReport, PartitionReport
from trainer.errors import DataError
from trainer.evaluation_config import EvaluationConfig
from trainer.nearest import hint

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_PERIODS = (
    1, 5, 15, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY,
    2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 182 * _DAY, 364 * _DAY,
)  # fmt: skip
_MAX_PERIODS = 60
_SHOWN = 20
"""Actions that a message lists."""


@dataclass(frozen=True)
class Plan:
    """Decisions that hold for every partition."""

    leave_one_out: bool
    validation_cut: int = 0
    """Temporal split: training ends before this second, the validation window starts."""
    test_cut: int = 0
    """Temporal split: the validation window ends before this second, the test window starts."""
    period_start: int = 0
    period_seconds: int = 1
    """The bins of events_per_period."""
    timeless: bool = False
    """The log has an order but no times: rare items and users count, and leave, as in the papers
    whose files these are, by all of their events and from all splits."""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """What of the events after a history is held out."""


def check_bad_rows(reports: Sequence[FileReport], config: DataConfig, quarantine: str) -> None:
    """Stops when too much of the log cannot be used.

    Raises:
        DataError: with the counts by reason, an example of each, and where the rows are.
    """
    rows = sum(report.rows for report in reports)
    bad = bad_rows(reports)
    total = sum(bad.values())
    if rows == 0:
        raise DataError(f"no rows in {', '.join(report.name for report in reports)}")
    if total <= config.max_bad_fraction * rows:
        return
    lines = [
        f"{total / rows:.2%} of the {rows:,} rows cannot be used "
        f"(data.max_bad_fraction allows {config.max_bad_fraction:.2%}):"
    ]
    for reason, count in bad.most_common():
        example = next(report.examples[reason] for report in reports if reason in report.examples)
        lines.append(f"  {reason} {count:,}, e.g. {example}{_advice(reason, config)}")
    lines.append(f"All of them are in {quarantine}. Correct the file or the data settings, or "
                 "raise data.max_bad_fraction to go on without them.")  # fmt: skip
    raise DataError("\n".join(lines))


def bad_rows(reports: Sequence[FileReport]) -> Counter[str]:
    """Bad rows by reason."""
    total: Counter[str] = Counter()
    for report in reports:
        total.update({r: n for r, n in report.dropped.items() if r in BAD_REASONS and n})
    return total


def make_plan(
    reports: Sequence[PartitionReport],
    timeless: bool,
    config: DataConfig,
    evaluation: EvaluationConfig,
    behavior_actions: Sequence[str] = (),
) -> Plan:
    """Sets the cuts and the bins.

    Args:
        reports: of all partitions.
        timeless: the log has an order but no times, so that it is always split by leave_one_out.
        config: kind of split, and quantiles of the cuts.
        evaluation: what is held out, for the plan.
        behavior_actions: what the behaviour head foresees.

    Raises:
        DataError: a temporal split is impossible, or an action that is asked for has no event.
    """
    _check_actions(reports, config.target_actions, "data.target_actions")
    _check_actions(reports, behavior_actions, "behavior_head.actions")
    leave_one_out = timeless or config.split == "leave_one_out"
    times = np.sort(np.concatenate([np.empty(0, np.int64), *(r.times for r in reports)]))
    if not len(times):  # no user has enough events: all is history, for the account
        return Plan(leave_one_out, NEVER, NEVER, timeless=timeless, evaluation=evaluation)
    first = min(report.first for report in reports if report.first is not None)
    last = max(report.last for report in reports if report.last is not None)
    period = next((p for p in _PERIODS if (last - first) // p < _MAX_PERIODS - 1), 364 * 10 * _DAY)
    start = first // period * period
    if leave_one_out:
        return Plan(True, 0, 0, start, period, timeless, evaluation)
    if first == last:
        raise DataError(
            f"all events are at {iso(first)}: there is no earlier and later to split by. "
            "If their order in the file counts, set data.split=leave_one_out; if the times got "
            "lost, map another column to data.columns.timestamp"
        )
    validation, test = (
        int(times[min(int(quantile * len(times)), len(times) - 1)])
        for quantile in (config.validation_quantile, config.test_quantile)
    )
    if not first < validation < test:
        raise DataError(
            f"the log from {iso(first)} to {iso(last)} has too few distinct times for a temporal "
            f"split: the cuts at data.validation_quantile={config.validation_quantile} and "
            f"data.test_quantile={config.test_quantile} fall on {iso(validation)} and "
            f"{iso(test)}. Set data.split=leave_one_out, or other quantiles"
        )
    return Plan(False, validation, test, start, period, evaluation=evaluation)


def _check_actions(
    reports: Sequence[PartitionReport], actions: Sequence[str], setting: str
) -> None:
    found = sum((report.actions for report in reports), Counter[str]())
    for action in actions:
        if action not in found:
            counts = ", ".join(f"{name} {count:,}" for name, count in found.most_common(_SHOWN))
            raise DataError(
                f"{setting}: no event has the action {action!r}; "
                f"{hint(action, found)}. Actions of the log, after data.actions: {counts}"
            )


def iso(seconds: int) -> str:
    """ISO 8601 form of epoch seconds."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _advice(reason: str, config: DataConfig) -> str:
    if reason == "bad_timestamp":
        if config.timestamp_format is None:
            return " (if it is a time, say how it is written in data.timestamp_format)"
        zone = " (of zones, %Z reads UTC and GMT)" if "%Z" in config.timestamp_format else ""
        return f" (does not follow data.timestamp_format={config.timestamp_format!r}{zone})"
    if reason == "absurd_timestamp":
        return (
            " (not between data.earliest and data.latest, by default 1990 and tomorrow; if it is "
            "not meant as ISO 8601 or an epoch number, set data.timestamp_format)"
        )
    if reason == "bad_encoding":
        return " (not UTF-8: set data.encoding, for example to cp1252 or latin-1)"
    if reason == "invalid_action":
        return " (it has a line break or another control character)"
    if reason.startswith("invalid_"):
        return (
            " (an id is text or a number: no object, list or true/false, and without line breaks "
            "and other control characters)"
        )
    return ""
