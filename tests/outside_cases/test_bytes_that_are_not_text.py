"""Bytes that are not UTF-8 in Parquet, and halves of characters in JSON, ended the whole run with
an internal error. The row goes to the quarantine, which names the column.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers.behavior_example_gen_runs import ingest, shop
from tests.helpers.cleaned_files import clean_file, json_lines, parquet

_BYTES = [b"good", b"b\xffad", None]


def _unchecked_text() -> pa.Array:
    """A text column as careless writers make it."""
    return pa.Array.from_buffers(pa.string(), 3, pa.array(_BYTES, pa.binary()).buffers())


@pytest.mark.parametrize("role", ["user_id", "item_id", "action", "category", "timestamp"])
def test_bytes_in_parquet(tmp_path: Path, role: str) -> None:
    for column in (
        pa.array(_BYTES, pa.binary()),
        pa.array(_BYTES, pa.large_binary()),
        _unchecked_text(),
    ):
        for values in (column, column.dictionary_encode()):
            found = clean_file(parquet(tmp_path / "log.parquet", **{role: values}))
            assert found.rejected[0 if role != "timestamp" else 1] == (2, "bad_encoding")
            [content] = [text for text in found.contents if "UTF-8" in text]
            assert content.startswith(f"column {role!r} is not UTF-8: {{")
            assert r"b\\xffad" in content


def test_a_log_goes_on_without_its_bad_rows(tmp_path: Path) -> None:
    users, items, times = zip(*shop(), strict=True)
    ids = [item.encode() for item in items]
    ids[3:7] = [b"\xff\xfe"] * 4
    columns = {"user_id": users, "item_id": pa.array(ids), "timestamp": times}
    result = ingest(tmp_path, parquet(tmp_path / "log.parquet", **columns))
    assert result.quality["dropped"]["bad_encoding"] == 4
    assert [row["line"] for row in result.quarantine] == ["4", "5", "6", "7"]


def test_halves_of_characters_in_json(tmp_path: Path) -> None:
    rows = [{"item_id": "\ud800"}, {"item_id": "x"}, {"item_id": "\ud83d\ude00"}, "{broken"]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows))
    assert found.rejected == [(1, "bad_encoding"), (4, "unreadable")]
    assert found.column("item_id") == ["x", "😀"]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows[:3]))
    assert [line for line, _ in found.rejected] == [1]
