"""Random logs in every form and dialect: what is read is what was written, or it is counted."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading import csv_reader, readers, sources

pytestmark = pytest.mark.slow

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]
MARKED = ("utf-8", "utf-8-sig", "utf-16")
NAMES = ("user_id", "item_id", "timestamp", "comment")
COLUMNS = {"columns": {"category": "comment"}}
SETTINGS = settings(max_examples=120, deadline=None, derandomize=True, database=None)

# What has a meaning in some dialect comes often; of the rest, no control characters.
SPECIAL = "\"',;|\t :\\#é商ß0a"
plain = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Cf", "Zl", "Zp"))
ids = st.text(st.sampled_from(SPECIAL) | plain, min_size=1, max_size=8).filter(
    lambda text: bool(text.strip()) and text not in NAMES
)
comments = st.text(st.sampled_from(SPECIAL + "\n\r") | plain, max_size=12)
times = st.integers(631_152_000, 1_700_000_000).map(
    lambda seconds: f"{2000 + seconds % 20}-01-{seconds % 28 + 1:02d}T{seconds % 24:02d}:00:00"
)
logs = st.lists(st.tuples(ids, ids, times, comments), min_size=1, max_size=8)
Row = tuple[str, ...]


def _read(
    content: bytes, name: str, rules: Mapping[str, object], block_bytes: int | None = None
) -> tuple[list[Row], list[int]]:
    """The rows of a file, and the lines of those that were rejected."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        [source] = sources.event_sources([str(path)], DataConfig.from_dict(dict(rules)))
        read = readers.read(source)
        if block_bytes is not None:
            read = csv_reader.read_csv(source, block_bytes)
        batches = list(read)
    roles = [role for role in (*NAMES[:3], "category") if role in source.columns] or NAMES[:3]
    rows = [row for batch in batches for row in batch.frame.select(roles).rows()]
    return rows, [row.line for batch in batches for row in batch.rejected]


def _field(value: str, separator: str, quote_all: bool) -> str:
    if quote_all or any(sign in value for sign in f'{separator}"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _after(rows: Sequence[Row], encoding: str) -> list[Row]:
    """The rows as the encoding and the line ends leave them."""
    text = [[value.encode(encoding, "replace").decode(encoding) for value in row] for row in rows]
    return [tuple(v.replace("\r\n", "\n").replace("\r", "\n") for v in row) for row in text]


@SETTINGS
@given(
    log=logs,
    separator=st.sampled_from(",;\t|"),
    quote_all=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(ENCODINGS),
    packed=st.booleans(),
    block_bytes=st.sampled_from([40, 1 << 20]),
)
def test_csv(
    log: list[Row],
    separator: str,
    quote_all: bool,
    line_end: str,
    encoding: str,
    packed: bool,
    block_bytes: int,
) -> None:
    text = "".join(
        separator.join(_field(value, separator, quote_all) for value in row) + line_end
        for row in [NAMES, *log]
    )
    content = text.encode(encoding, "replace")
    rules: dict[str, object] = dict(COLUMNS)
    if encoding not in MARKED:
        rules["encoding"] = encoding
    content = gzip.compress(content) if packed else content
    rows, rejected = _read(content, "log.csv", rules, block_bytes)
    assert rows == _after(log, encoding)
    assert rejected == []


@SETTINGS
@given(
    log=logs,
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    block_bytes=st.sampled_from([40, 1 << 20]),
)
def test_csv_without_quoting(
    log: list[Row], separator: str, line_end: str, block_bytes: int
) -> None:
    marks = str.maketrans(dict.fromkeys(f"{separator}\r\n", "_"))
    log = [tuple(value.translate(marks) for value in row) for row in log]
    text = "".join(separator.join(row) + line_end for row in [NAMES, *log])
    rules = {**COLUMNS, "separator": separator, "quoting": "none"}
    assert _read(text.encode(), "log.csv", rules, block_bytes) == (log, [])


@SETTINGS
@given(
    log=logs,
    separator=st.sampled_from(",\t"),
    block_bytes=st.sampled_from([40, 1 << 20]),
)
def test_csv_with_stray_quotes(log: list[Row], separator: str, block_bytes: int) -> None:
    """Values written as they are, quotes too: each line is a row or is counted."""
    marks = str.maketrans(dict.fromkeys(f"{separator}\r\n", "_"))
    log = [tuple(value.translate(marks) for value in row) for row in log]
    text = "".join(separator.join(row) + "\n" for row in [NAMES, *log])
    rows, rejected = _read(text.encode(), "log.csv", {"separator": separator}, block_bytes)
    kept = [row for line, row in enumerate(log, 2) if line not in rejected]
    assert len(rows) == len(kept)
    for found, (user, item, time, _) in zip(rows, kept, strict=True):
        # A pair of quotes around a value is no part of it.
        assert [value.replace('"', "") for value in found] == [
            value.replace('"', "") for value in (user, item, time)
        ]


@SETTINGS
@given(log=logs, ascii_only=st.booleans(), line_end=st.sampled_from(["\n", "\r\n"]))
def test_json_lines(log: list[Row], ascii_only: bool, line_end: str) -> None:
    lines = [json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=ascii_only) for row in log]
    content = "".join(line + line_end for line in lines).encode()
    assert _read(content, "log.jsonl", COLUMNS) == (log, [])


@SETTINGS
@given(log=logs)
def test_parquet(log: list[Row]) -> None:
    stream = io.BytesIO()
    pl.DataFrame(log, schema=list(NAMES), orient="row").write_parquet(stream)
    assert _read(stream.getvalue(), "log.parquet", COLUMNS) == (log, [])


words = ids.map(lambda text: "".join(text.split()))


@SETTINGS
@given(
    log=st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=6)), min_size=1, max_size=9),
    gap=st.sampled_from([" ", "\t", "  "]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_sequences(log: list[tuple[str, list[str]]], gap: str, encoding: str) -> None:
    text = "".join(gap.join([user, *items]) + "\n" for user, items in log)
    expected = [(user, item, str(place)) for user, items in log for place, item in enumerate(items)]
    found = _read(text.encode(encoding), "log.txt", {"format": "sequences"})
    assert found == (expected, [])
