"""`data_quality.json`: what an ingestion read, kept and dropped."""

from __future__ import annotations

from typing import ClassVar, Literal

from trainer.artifact_record import Measure, Record, RecordFile
from trainer.evaluation_config import Task, in_words


class SourceFile(Record):
    """One input file and its rows."""

    name: str
    rows: int


class Period(Record):
    """Events from `start` (ISO 8601) until the next period."""

    start: str
    events: int


class SplitCuts(Record):
    """Where the time line was cut (ISO 8601), and how many histories each split got."""

    method: Literal["temporal", "leave_one_out"]
    validation_cut: str | None
    test_cut: str | None
    histories: dict[str, int]


class AskedTask(Record):
    """What models are asked for.

    Attributes:
        asked: the setting `evaluation.task`.
        resolved: the task that follows from it and from what was held out.
        period_days: of the task `next_period`; None for others.
        actions: the setting `data.target_actions`; empty for every action.
    """

    asked: Literal["auto", "next_item", "next_basket", "next_period"]
    resolved: Task
    period_days: float | None
    actions: list[str] = []

    @property
    def words(self) -> str:
        """For people: "next basket"."""
        return in_words(self.resolved, self.period_days, self.actions)


class HeldOut(Record):
    """What one split holds out, as `AskedTask` says.

    Attributes:
        users: who have held-out items.
        items: distinct items of each user, summed over users.
        unknown_items: those of them that no training history names. A model can know them only by
            their texts.
        several_items: share of the users with more than one item.
        median_items: of the items of a user.
    """

    users: int
    items: int
    unknown_items: int
    several_items: Measure
    median_items: Measure


class TieOrder(Record):
    """The order of events that share a user and a time.

    Attributes:
        rule: the setting `data.tie_order`, which the histories follow.
        neighbours: pairs of neighbours, in the order of the log, with one user and time and two
            different ids.
        ascending: share of such pairs in which the later has the larger id ("item_id", as text),
            number ("item_number", where all these ids are whole numbers) or title ("title"); .5
            by chance.
    """

    rule: Literal["drawn", "log"]
    neighbours: int
    ascending: dict[str, float]


class DataQualityRecord(RecordFile):
    """The account of an ingestion.

    Attributes:
        files: input files.
        rows_read: in all files.
        events_kept: events in a history or target, and later ones of the same users.
        users: of the histories.
        items: of the events kept.
        trained_items: items of the training histories.
        bad_rows: that could not be read.
        bad_fraction: their share of the rows.
        dropped: rows in no history and no target, by reason, the most first. A purchase that was
            returned counts here, also if a history that ends before the return has it.
        left_out_of_training: of the events kept, those before what is held out that no training
            history has, by reason.
        columns: what each role was read from.
        actions: events by kind, the most first.
        first_event: ISO 8601; None where the log has an order but no times.
        last_event: the same.
        events_per_period: in order.
        events_per_user: order statistics by name: "min", "p25", "median", "p75", "p99", "max".
        split: see `SplitCuts`.
        task: what models are asked for.
        held_out: by split.
        tie_order: None where the log has an order but no times.
        times_are_days: whether all times are midnights, in one time zone; None without times.
        notes: for people.
        quarantine: name of the file with the bad rows.
        repeat_share: share of the events, but each user's first, whose item the user had before.
    """

    FILE_NAME: ClassVar[str] = "data_quality.json"

    files: list[SourceFile]
    rows_read: int
    events_kept: int
    users: int
    items: int
    trained_items: int
    bad_rows: int
    bad_fraction: float
    dropped: dict[str, int]
    left_out_of_training: dict[str, int]
    columns: dict[str, str | None]
    actions: dict[str, int]
    first_event: str | None
    last_event: str | None
    events_per_period: list[Period]
    events_per_user: dict[str, int]
    split: SplitCuts
    task: AskedTask
    held_out: dict[str, HeldOut]
    tie_order: TieOrder | None
    times_are_days: bool | None
    notes: list[str]
    quarantine: str
    repeat_share: Measure
