"""The account of an ingestion: `data_quality.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from components.behavior_example_gen.cleaning import id_forms
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.quality_record import (
    AskedTask,
    DataQualityRecord,
    Period,
    SourceFile,
    SplitCuts,
)
from components.behavior_example_gen.reading import remarks
from components.behavior_example_gen.reading.raw_batch import swallowed_note
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.steps import instants, quarantine
from components.behavior_example_gen.steps.history_step import LOG
from components.behavior_example_gen.steps.plan import Plan, bad_rows, iso
from components.behavior_example_gen.steps.reports import FileReport, HistoryReport, PartitionReport
from trainer.errors import DataError
from trainer.evaluation_config import EvaluationConfig
from trainer.raw_history import SPLITS, TEST, TRAIN, VALIDATION

_COUNTERS = (
    "dropped", "left_out_of_training", "actions", "periods", "lengths", "histories", "cold_starts",
)  # fmt: skip


@dataclass(frozen=True)
class Reports:
    """Everything the steps reported."""

    files: list[FileReport]
    partitions: list[PartitionReport]
    histories: list[HistoryReport]
    plan: Plan


def total(reports: Sequence[HistoryReport]) -> HistoryReport:
    """Sum over partitions."""
    result = HistoryReport()
    for report in reports:
        result.events += report.events
        result.users += report.users
        result.user_items += report.user_items
        for name in _COUNTERS:
            getattr(result, name).update(getattr(report, name))
        for split, sizes in report.instants.items():
            result.instants.setdefault(split, Counter()).update(sizes)
    firsts = [report.first for report in reports if report.first is not None]
    lasts = [report.last for report in reports if report.last is not None]
    result.first = min(firsts, default=None)
    result.last = max(lasts, default=None)
    return result


def check_histories(reports: Reports, items: int, config: DataConfig) -> None:
    """Stops when what is left cannot train a recommender.

    Args:
        reports: of all steps.
        items: items in the training histories.
        config: named in the messages.

    Raises:
        DataError: no events, no user with enough, one item only, or an empty split.
    """
    found = total(reports.histories)
    lost = dropped(reports) + found.left_out_of_training
    counts = ", ".join(f"{reason} {count:,}" for reason, count in lost.most_common())
    if items == 0:
        if lost["rare_user"] and not lost["rare_item"]:
            raise DataError(
                f"no user has {config.min_user_events} events or more to be trained on "
                f"(data.min_user_events): there is nothing to learn from. Dropped: {counts}"
            )
        raise DataError(
            f"no events are left after cleaning. Dropped: {counts}. An item needs "
            f"data.min_item_events={config.min_item_events} events in the training period"
        )
    if items == 1:
        raise DataError(
            f"only one item is left ({found.events:,} events): there is nothing to recommend. "
            f"Dropped: {counts or 'nothing'}. See data.columns.item_id, data.min_item_events"
        )
    empty = [split for split in SPLITS if not found.histories[split]]
    if empty:
        raise DataError(
            f"no history for the {' and '.join(empty)} split: " + _empty_split(reports, config)
        )


def dropped(reports: Reports) -> Counter[str]:
    """Rows dropped, by reason."""
    result: Counter[str] = Counter()
    for stage in (reports.files, reports.partitions, reports.histories):
        for report in stage:
            result.update(report.dropped)
    return +result


def describe(
    reports: Reports,
    sources: Sequence[Source],
    used: pl.DataFrame,
    notes: Sequence[str],
    config: DataConfig,
    evaluation: EvaluationConfig,
) -> DataQualityRecord:
    """The account of an ingestion.

    Args:
        reports: of all steps.
        sources: the event files.
        used: counts of items by `history_step.USED_ITEM_KEYS`.
        notes: of other parts.
        config: for `tie_order` and `target_actions`.
        evaluation: what was to be held out.
    """
    found = total(reports.histories)
    rows = sum(report.rows for report in reports.files)
    bad = sum(bad_rows(reports.files).values())
    plan = reports.plan
    timeless = sources[0].format == "sequences"
    later_events = found.events - found.users
    ties = None if timeless else instants.tie_order(reports.partitions, config.tie_order)
    held_out = instants.held_out(found.instants, used)
    return DataQualityRecord(
        files=[SourceFile(name=report.name, rows=report.rows) for report in reports.files],
        rows_read=rows,
        events_kept=found.events,
        users=found.users,
        items=used.filter(pl.col("part") == LOG).height,
        trained_items=used.filter(pl.col("part") == TRAIN).height,
        bad_rows=bad,
        bad_fraction=bad / rows,
        dropped=dict(dropped(reports).most_common()),
        left_out_of_training=dict((+found.left_out_of_training).most_common()),
        columns=_columns(sources),
        actions=dict(found.actions.most_common()),
        first_event=None if timeless or found.first is None else iso(found.first),
        last_event=None if timeless or found.last is None else iso(found.last),
        events_per_period=[] if timeless else _periods(found.periods, plan),
        events_per_user=_distribution(found.lengths),
        split=SplitCuts(
            method="leave_one_out" if plan.leave_one_out else "temporal",
            validation_cut=None if plan.leave_one_out else iso(plan.validation_cut),
            test_cut=None if plan.leave_one_out else iso(plan.test_cut),
            histories={split: found.histories[split] for split in SPLITS},
        ),
        task=AskedTask(
            asked=evaluation.task,
            resolved=evaluation.resolved(any(part.several_items for part in held_out.values())),
            period_days=evaluation.period_days if evaluation.task == "next_period" else None,
            actions=list(config.target_actions),
        ),
        held_out=held_out,
        tie_order=ties,
        times_are_days=None if timeless else instants.times_are_days(reports.partitions),
        notes=[*notes, *_notes(reports, found), *instants.notes(held_out, ties)],
        quarantine=quarantine.NAME,
        repeat_share=(found.events - found.user_items) / later_events if later_events else 0.0,
    )


def summary(account: DataQualityRecord, quarantine_file: str) -> list[str]:
    """The account in a few lines for the terminal.

    Args:
        account: from `describe`.
        quarantine_file: named when it holds rows.
    """
    lines = [
        f"{account.rows_read:,} rows: {account.events_kept:,} events of {account.users:,} users "
        f"and {account.items:,} items kept",
        f"models are asked for the {account.task.words} (evaluation.task={account.task.asked})",
    ]
    if account.dropped:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in account.dropped.items())
        lines.append(f"dropped: {reasons}")
    if account.left_out_of_training:
        reasons = ", ".join(f"{r} {count:,}" for r, count in account.left_out_of_training.items())
        lines.append(f"kept, but not trained on: {reasons}")
    if account.bad_rows:
        lines.append(f"bad rows: {account.bad_rows:,}, see {quarantine_file}")
    return [*lines, *(f"note: {note}" for note in account.notes)]


def _columns(sources: Sequence[Source]) -> dict[str, str | None]:
    columns: dict[str, str | None] = {}
    for source in sources:
        for role, names in source.columns.items():
            columns.setdefault(role, " / ".join(names))
    return columns


def _periods(periods: Counter[int], plan: Plan) -> list[Period]:
    if not periods:
        return []
    return [
        Period(start=iso(plan.period_start + number * plan.period_seconds), events=periods[number])
        for number in range(min(periods), max(periods) + 1)
    ]


def _distribution(lengths: Counter[int]) -> dict[str, int]:
    """Order statistics of the events per user, exact."""
    values = np.array(sorted(lengths))
    ends = np.cumsum([lengths[int(value)] for value in values])

    def at(quantile: float) -> int:
        return int(values[np.searchsorted(ends, quantile * (ends[-1] - 1), side="right")])

    quantiles = {"min": 0.0, "p25": 0.25, "median": 0.5, "p75": 0.75, "p99": 0.99, "max": 1.0}
    return {name: at(quantile) for name, quantile in quantiles.items()}


def _notes(reports: Reports, found: HistoryReport) -> list[str]:
    notes = remarks.total(report.remarks for report in reports.files).notes()
    for column in ("user_id", "item_id"):
        forms = [report.id_forms[column] for report in reports.files]
        if note := id_forms.note(column, forms):
            notes.append(note)
    notes += [note for report in reports.files for note in _file_notes(report, len(reports.files))]
    for split in (VALIDATION, TEST):
        if count := found.cold_starts[split]:
            users = f"{count:,} user{'s have' if count != 1 else ' has'}"
            notes.append(
                f"cold_start_targets: {users} a {split} target but no history before it, "
                f"and {'are' if count != 1 else 'is'} left out of that split"
            )
    if bots := sum(report.bots for report in reports.partitions):
        notes.append(f"{bots:,} bot-like users are left out (data.max_events_per_user_per_day)")
    if found.users == 1:
        notes.append("only one user is left: there is nobody to compare with")
    return notes


def _file_notes(report: FileReport, files: int) -> list[str]:
    """What to say of one file."""
    notes = []
    if report.first_swallowed is not None:
        notes.append(swallowed_note(report.name, report.swallowed, report.first_swallowed))
    bad = bad_rows([report])
    if files > 1 and bad.total() > report.rows / 2:
        reason, count = bad.most_common(1)[0]
        notes.append(
            f"{report.name}: {bad.total():,} of its {report.rows:,} rows cannot be used, mostly "
            f"{reason} ({count:,}), e.g. {report.examples[reason]}"
        )
    elif report.rows == 0:
        notes.append(f"{report.name}: has no rows")
    return notes


def _empty_split(reports: Reports, config: DataConfig) -> str:
    plan = reports.plan
    if config.target_actions:
        actions = " or ".join(repr(action) for action in config.target_actions)
        where = (
            "leave_one_out needs users with two instants of them and an event before"
            if plan.leave_one_out
            else f"training ends before {iso(plan.validation_cut)}, the test period starts at "
            f"{iso(plan.test_cut)}; users need such an event in a period, and any event before it"
        )
        return (
            f"too few events have the action {actions} (data.target_actions): {where}. Bring a "
            "longer log, ask for more actions, or set other data.validation_quantile and "
            "data.test_quantile"
        )
    if plan.leave_one_out:
        return (
            "leave_one_out needs users with three events or more. Bring longer histories, keep "
            f"more items with a lower data.min_item_events (now {config.min_item_events}), or, "
            "for a log with times, use data.split=temporal"
        )
    return (
        f"too few users came back. Training ends before {iso(plan.validation_cut)}, the test "
        f"period starts at {iso(plan.test_cut)}; users need events before a period and in it. "
        "Use a longer log, other data.validation_quantile and data.test_quantile, a lower "
        f"data.min_item_events (now {config.min_item_events}), or data.split=leave_one_out"
    )
