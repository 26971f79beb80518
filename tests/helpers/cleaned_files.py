"""Reads and cleans one event file, without the steps after it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from components.behavior_example_gen.cleaning.cleaning import Cleaner
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading.readers import read
from components.behavior_example_gen.reading.sources import event_sources

NOON = 1_569_931_200  # 2019-10-01T12:00:00Z


@dataclass
class Cleaned:
    """What is left of a file."""

    events: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason."""
    contents: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def column(self, name: str) -> list[Any]:
        return [event[name] for event in self.events]


def clean_file(path: Path, **settings: Any) -> Cleaned:
    """Reads a file.

    Args:
        path: of the file.
        settings: of DataConfig.
    """
    config = DataConfig.from_dict(settings)
    [source] = event_sources([str(path)], config)
    cleaner = Cleaner(source, config)
    result = Cleaned()
    for batch in read(source):
        found = cleaner.clean(batch, len(result.events))
        result.events += found.events.to_dicts()
        for row in sorted(found.rejected, key=lambda row: row.line):
            result.rejected.append((row.line, row.reason))
            result.contents.append(row.content)
    result.notes = cleaner.remarks.notes()
    return result


def parquet(path: Path, **columns: Any) -> Path:
    """Writes a Parquet file; the required columns that are not given get plain values."""
    rows = len(next(iter(columns.values())))
    plain = {"user_id": ["u"] * rows, "item_id": ["i"] * rows, "timestamp": [NOON] * rows}
    pq.write_table(pa.table({**plain, **columns}), path)
    return path


def json_lines(path: Path, rows: Sequence[dict[str, Any] | str]) -> Path:
    """Writes JSON Lines; required keys that are not given get plain values, text stays."""
    plain = {"user_id": "u", "item_id": "i", "timestamp": NOON}
    lines = [row if isinstance(row, str) else json.dumps({**plain, **row}) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def csv_file(path: Path, column: str, values: Sequence[str]) -> Path:
    """Writes a CSV file with these values in one column, and plain values in the required ones."""
    frame = pl.DataFrame(
        {"user_id": "u", "item_id": "i", "timestamp": NOON, "row": range(len(values))}
    )
    frame.drop("row").with_columns(pl.Series(column, values)).write_csv(path)
    return path
