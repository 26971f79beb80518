"""`data_quality.json`: what an ingestion read, kept and dropped."""

from __future__ import annotations

from typing import ClassVar, Literal

from trainer.artifact_record import Measure, Record, RecordFile


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


class DataQualityRecord(RecordFile):
    """The account of an ingestion.

    Attributes:
        files: input files.
        rows_read: in all files.
        events_kept: events of the histories.
        users: of the histories.
        items: of the histories.
        bad_rows: that could not be read.
        bad_fraction: their share of the rows.
        dropped: rows by reason, the most first.
        columns: what each role was read from.
        actions: events by kind, the most first.
        first_event: ISO 8601; None where the log has an order but no times.
        last_event: the same.
        events_per_period: in order.
        events_per_user: order statistics by name: "min", "p25", "median", "p75", "p99", "max".
        split: see `SplitCuts`.
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
    bad_rows: int
    bad_fraction: float
    dropped: dict[str, int]
    columns: dict[str, str | None]
    actions: dict[str, int]
    first_event: str | None
    last_event: str | None
    events_per_period: list[Period]
    events_per_user: dict[str, int]
    split: SplitCuts
    notes: list[str]
    quarantine: str
    repeat_share: Measure
