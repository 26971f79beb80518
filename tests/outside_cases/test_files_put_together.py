"""Files put together with `cat` have a header, and a byte order mark, in their middle."""

from __future__ import annotations

import codecs
from pathlib import Path

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading import sources
from components.behavior_example_gen.steps import catalogue
from tests.helpers.outside_reading import read_log


def test_a_header_in_the_middle_is_quarantined(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp\nu1,i1,1569931200\n" * 3)
    found = read_log(path)
    assert found.rows == [("u1", "i1", "1569931200")] * 3
    assert found.rejected == [(3, "unreadable"), (5, "unreadable")]


def test_a_header_in_the_middle_is_no_item(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\ni1,Hat\nitem_id,title\ni2,Cap\n")
    items, notes = catalogue.read_items(sources.item_sources([str(path)], DataConfig()))
    assert items["item_id"].to_list() == ["i1", "i2"]
    assert notes == ["items.csv: 1 unreadable rows are left out"]


def test_a_byte_order_mark_in_the_middle_is_no_part_of_an_id(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    header, row = b"user_id,item_id,timestamp\n", b"u1,i1,1569931200\n"
    path.write_bytes(codecs.BOM_UTF8 + header + row + codecs.BOM_UTF8 + row)
    assert read_log(path).rows == [("u1", "i1", "1569931200")] * 2
    path = tmp_path / "sequences.txt"
    path.write_bytes((codecs.BOM_UTF8 + b"1 a b c\n") + (codecs.BOM_UTF8 + b"1 b a\n"))
    assert {row[0] for row in read_log(path).rows} == {"1"}


def test_line_ends_of_old_macs(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b'user_id,item_id,timestamp,x\ru1,i1,1,"a\rb"\ru2,"i2",2,c\r')
    assert read_log(path).rows == [("u1", "i1", "1"), ("u2", "i2", "2")]
