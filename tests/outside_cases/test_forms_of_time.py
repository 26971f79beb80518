"""Times that a log may well have: 24:00:00, leap seconds, exponents, and Parquet columns with a
fixed offset (which ended in an internal error) or another unit.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from components.behavior_example_gen.timestamps import epoch_seconds
from tests.helpers.cleaned_files import NOON, clean_file, csv_file, json_lines, parquet

_MIDNIGHT = NOON + 12 * 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2019-10-01T24:00:00Z", _MIDNIGHT),
        ("2019-10-01 24:00", _MIDNIGHT),
        ("2019-10-01T24:00:01Z", None),
        ("2019-10-01T23:59:60Z", _MIDNIGHT),
        ("2019-10-01 23:59:60", _MIDNIGHT),
        ("2019-10-01T23:59:61Z", None),
        ("2019-10-01T12:60:00", None),
        ("2019-10-01T12:00:00+99:00", None),
        ("1.5699312e9", NOON),
        ("1.5699312E+12", NOON),
        ("-86400", -86_400),
        ("-86400000000", -86_400_000_000),
        ("-172800000000000", -172_800_000),
        ("123456789012345678901234567890", None),
        ("20191301", 20_191_301),
    ],
)
def test_text(text: str, seconds: int | None) -> None:
    assert epoch_seconds(pl.Series([text, "2019-10-01T12:00:00Z"])).to_list() == [seconds, NOON]


def test_exponents_alike_in_csv_and_json_lines(tmp_path: Path) -> None:
    csv = csv_file(tmp_path / "log.csv", "timestamp", ["1.5699312e9"])
    line = '{"user_id": "u", "item_id": "i", "timestamp": 1.5699312e9}'
    for path in (csv, json_lines(tmp_path / "log.jsonl", [line])):
        assert clean_file(path).column("timestamp") == [NOON]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "+05:30", "-03:00", "Europe/Berlin"])
def test_typed_times(tmp_path: Path, unit: str, zone: str | None) -> None:
    times = pa.array([NOON], pa.int64()).cast(pa.timestamp("s")).cast(pa.timestamp(unit))
    typed = times.cast(pa.timestamp(unit, zone))  # the instant stays
    path = parquet(tmp_path / "log.parquet", timestamp=typed)
    assert clean_file(path).column("timestamp") == [NOON]
    # A format is for text and numbers.
    assert clean_file(path, timestamp_format="%d/%m/%Y").column("timestamp") == [NOON]


def test_dates_and_times_of_day(tmp_path: Path) -> None:
    day = datetime.date(2019, 10, 1)
    for kind in (pa.date32(), pa.date64()):
        path = parquet(tmp_path / "log.parquet", timestamp=pa.array([day], kind))
        assert clean_file(path).column("timestamp") == [NOON - 12 * 3600]
    path = parquet(tmp_path / "log.parquet", timestamp=pa.array([datetime.time(12)]))
    assert clean_file(path).rejected == [(1, "bad_timestamp")]
