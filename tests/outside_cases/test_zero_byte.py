"""A zero byte early in a file refused all of it; later it became a part of an id, silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.outside_reading import read_log, refusal

HEADER = "user_id,item_id,timestamp\n"


@pytest.mark.parametrize("place", [0, 39])
def test_costs_its_row_in_csv(tmp_path: Path, place: int) -> None:
    path = tmp_path / "log.csv"
    lines = [f"u{n},i{n},15699312{n:02d}" for n in range(40)]
    lines[place] = lines[place].replace(",i", ",\x00i")
    path.write_text(HEADER + "\n".join(lines) + "\n")
    found = read_log(path)
    assert len(found.rows) == 39
    assert found.rejected == [(place + 2, "unreadable")]


@pytest.mark.parametrize("zero", ["\x00", "\\u0000"])
def test_costs_its_row_in_json_lines(tmp_path: Path, zero: str) -> None:
    path = tmp_path / "log.jsonl"
    line = '{"user_id": "%s", "item_id": "i", "timestamp": 1569931200}\n'
    path.write_text(line % "u1" + line % f"u{zero}2" + line % "u3")
    found = read_log(path)
    assert [row[0] for row in found.rows] == ["u1", "u3"]
    assert found.rejected == [(2, "unreadable")]


def test_costs_its_line_in_sequences(tmp_path: Path) -> None:
    path = tmp_path / "sequences.txt"
    path.write_text("1 a b c\n2 a\x00 b\n3 b a\n")
    found = read_log(path)
    assert {row[0] for row in found.rows} == {"1", "3"}
    assert found.rejected == [(2, "unreadable")]


def test_a_tail_of_zeros(tmp_path: Path) -> None:
    """What a machine leaves that stopped while it wrote."""
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "u1,i1,1569931200\n" * 300 + "\x00" * 4096)
    found = read_log(path)
    assert len(found.rows) == 300
    assert found.rejected == [(302, "unreadable")]
    path.write_bytes(b"\x00" * 4096)
    assert "begins with nothing but zero bytes" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_told_apart(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes((HEADER + "u1,商品,1569931200\n" * 9).encode(encoding))
    assert f"if it is UTF-16, set data.encoding={encoding}" in refusal(path)
    assert read_log(path, encoding=encoding).rows == [("u1", "商品", "1569931200")] * 9
