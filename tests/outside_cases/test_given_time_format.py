"""A given data.timestamp_format was overruled: days and months were swapped for days up to 12, and
numbers such as 20191001000245 were taken for epochs. The format comes first, for text and numbers.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers.behavior_example_gen_runs import ingest, shop, table
from tests.helpers.cleaned_files import Cleaned, clean_file, csv_file, json_lines, parquet


def _times(cleaned: Cleaned) -> list[str]:
    return [
        datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        for second in cleaned.column("timestamp")
    ]


def test_day_before_month(tmp_path: Path) -> None:
    """ISO 8601 would read 2020-05-01 as the first of May."""
    written = ["2020-05-01 10:00:00", "2020-13-01 10:00:00", "2020-01-13 10:00:00", "2020-01-05"]
    path = csv_file(tmp_path / "log.csv", "timestamp", written)
    found = clean_file(path, timestamp_format="%Y-%d-%m %H:%M:%S")
    assert _times(found) == ["2020-01-05 10:00:00", "2020-01-13 10:00:00"]
    # Read as ISO 8601, the other two might be wrong: nobody knows.
    assert found.rejected == [(4, "bad_timestamp"), (5, "bad_timestamp")]


def test_other_forms_that_leave_no_doubt_are_read_and_counted(tmp_path: Path) -> None:
    written = ["05/01/2020", "2020-01-06", "1578355200", "13/13/2020"]
    path = csv_file(tmp_path / "log.csv", "timestamp", written)
    found = clean_file(path, timestamp_format="%d/%m/%Y")
    assert _times(found) == ["2020-01-05 00:00:00", "2020-01-06 00:00:00", "2020-01-07 00:00:00"]
    assert found.rejected == [(5, "bad_timestamp")]
    assert found.notes == [
        "timestamp: 2 times do not follow data.timestamp_format and are read as ISO 8601 or epoch "
        "numbers, e.g. '2020-01-06' (log.csv line 3)"
    ]


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (20191001000245, "%Y%m%d%H%M%S", "2019-10-01 00:02:45"),
        (20191001, "%Y%m%d", "2019-10-01 00:00:00"),
        (191001, "%y%m%d", "2019-10-01 00:00:00"),
        (30201, "%y%m%d", "2003-02-01 00:00:00"),  # a number has no leading zero
        (1102019, "%d%m%Y", "2019-10-01 00:00:00"),
    ],
)
def test_numbers_follow_the_format_too(
    tmp_path: Path, value: int, form: str, expected: str
) -> None:
    files = [
        csv_file(tmp_path / "log.csv", "timestamp", [str(value), f"{value}.0"]),
        json_lines(tmp_path / "log.jsonl", [{"timestamp": value}, {"timestamp": str(value)}]),
        parquet(tmp_path / "whole.parquet", timestamp=[value, value]),
        parquet(tmp_path / "float.parquet", timestamp=[float(value), float(value)]),
        parquet(tmp_path / "text.parquet", timestamp=pa.array([str(value)] * 2)),
    ]
    for path in files:
        found = clean_file(path, timestamp_format=form)
        assert _times(found) == [expected] * 2, path.name
        assert found.notes == []


def test_numbers_that_can_only_be_dates_need_no_format(tmp_path: Path) -> None:
    for path in (
        csv_file(tmp_path / "log.csv", "timestamp", ["20191001000245", "20191001"]),
        json_lines(
            tmp_path / "log.jsonl", [{"timestamp": 20191001000245}, {"timestamp": 20191001}]
        ),
        parquet(tmp_path / "log.parquet", timestamp=[20191001000245, 20191001]),
    ):
        assert _times(clean_file(path)) == ["2019-10-01 00:02:45", "2019-10-01 00:00:00"]
    # Where times of 1970 are plausible, 20191001 may well be one.
    assert _times(clean_file(path, earliest="1970-01-01"))[-1] == "1970-08-22 16:36:41"


def test_numbers_of_an_unknown_form_name_the_setting(tmp_path: Path) -> None:
    rows = [[user, item, "191001" + f"{n:06d}"] for n, (user, item, _) in enumerate(shop())]
    with pytest.raises(ValueError, match=r"absurd_timestamp 120.*set data.timestamp_format"):
        ingest(tmp_path, table(rows))


def test_zone_abbreviations_are_not_taken_for_utc(tmp_path: Path) -> None:
    written = [f"2019-10-01 12:00:00 {zone}" for zone in ("UTC", "EST", "GMT", "UTC+2", "CST")]
    path = csv_file(tmp_path / "log.csv", "timestamp", written)
    for settings in ({"timestamp_format": "%Y-%m-%d %H:%M:%S %Z"}, {}):
        found = clean_file(path, **settings)
        assert _times(found) == ["2019-10-01 12:00:00"] * 2
        assert [line for line, _ in found.rejected] == [3, 5, 6]
    rows = [[user, item, moment + " CET"] for user, item, moment in shop()]
    with pytest.raises(ValueError, match=r"bad_timestamp 120.*of zones, %Z reads UTC and GMT"):
        ingest(tmp_path, table(rows), timestamp_format="%Y-%m-%dT%H:%M:%S %Z")


def test_offsets_and_fractions_of_a_second_in_a_format(tmp_path: Path) -> None:
    written = [
        "01.10.2019 12:00:00.250 +02:00",
        "01.10.2019 12:00:00 -0430",
        "01.10.2019 12:00:00 Z",
    ]
    path = csv_file(tmp_path / "log.csv", "timestamp", written)
    found = clean_file(path, timestamp_format="%d.%m.%Y %H:%M:%S.%f %z")
    assert _times(found) == ["2019-10-01 10:00:00", "2019-10-01 16:30:00", "2019-10-01 12:00:00"]
