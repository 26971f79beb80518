"""A double quote that is never closed swallowed the lines up to the next one, silently.

Two comments of a log began with a quote; the column was not even used, and 3,000 of 4,198 rows
were gone. The same in items files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading import csv_reader, sources
from components.behavior_example_gen.steps import catalogue
from tests.helpers.behavior_example_gen_runs import ingest, shop
from tests.helpers.outside_reading import read_log

HEADER = "user_id,item_id,timestamp,comment"
LINES = 60


def _log(comments: dict[int, str], form: str = "u{n},i{n},15699312{n:02d},{comment}") -> str:
    lines = [form.format(n=n, comment=comments.get(n, "fine")) for n in range(LINES)]
    return "\n".join(lines) + "\n"


EVERY_ROW = [(f"u{n}", f"i{n}", f"15699312{n:02d}") for n in range(LINES)]


@pytest.mark.parametrize("places", [[7], [7, 8], [7, 50], [0, 30, 59], [59]])
@pytest.mark.parametrize(
    "stray", ['"never closed', 'in the "middle', 'at the end"', '"said" he', '"']
)
@pytest.mark.parametrize("separator", [",", "\t"])
def test_every_row_is_read(tmp_path: Path, places: list[int], stray: str, separator: str) -> None:
    path = tmp_path / "log.csv"
    text = f"{HEADER}\n{_log(dict.fromkeys(places, stray))}"
    path.write_text(text.replace(",", separator))
    found = read_log(path)
    assert found.rows == EVERY_ROW
    assert found.rejected == []


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("comment,user_id,item_id,timestamp", "{comment},u{n},i{n},15699312{n:02d}"),
        ("user_id,comment,item_id,timestamp", "u{n},{comment},i{n},15699312{n:02d}"),
    ],
)
def test_whatever_column_it_is_in(tmp_path: Path, header: str, form: str) -> None:
    path = tmp_path / "log.csv"
    log = _log({5: '"never closed', 40: '"neither'}, form)
    path.write_text(f"{header}\n{log}")
    assert read_log(path).rows == EVERY_ROW


@pytest.mark.parametrize("key", ['"u5,i5,1569931205', 'u5,"i5,1569931205', 'u5,i5,"1569931205'])
def test_in_a_key_it_costs_its_own_row_only(tmp_path: Path, key: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER}\n{_log({})}".replace("u5,i5,1569931205", key))
    found = read_log(path)
    assert found.rows == EVERY_ROW[:5] + EVERY_ROW[6:]
    assert found.rejected == [(7, "unreadable")]


@pytest.mark.parametrize("block_bytes", [40, 300, 1 << 20])
def test_where_a_block_ends_does_not_matter(tmp_path: Path, block_bytes: int) -> None:
    path = tmp_path / "log.csv"
    comments = {3: '"never closed', 9: '"two\nlines, ""quoted"" ones"', 30: '9" wide', 44: '"'}
    path.write_text(f"{HEADER}\n{_log(comments)}")
    [source] = sources.event_sources([str(path)], DataConfig())
    batches = list(csv_reader.read_csv(source, block_bytes))
    rows = [
        row for b in batches for row in b.frame.select("user_id", "item_id", "timestamp").rows()
    ]
    assert rows == EVERY_ROW
    assert not any(batch.rejected for batch in batches)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (HEADER, "u{n},i{n},15699312{n:02d},{comment}"),
        ("user_id,comment,item_id,timestamp", "u{n},{comment},i{n},15699312{n:02d}"),
    ],
)
def test_a_quoted_value_of_several_lines_stays_one(tmp_path: Path, header: str, form: str) -> None:
    path = tmp_path / "log.csv"
    text = '"first line\nsecond, with ""quotes""\n\na, b, c\nlast, one"'
    path.write_text(f"{header}\n{_log(dict.fromkeys(range(0, LINES, 3), text), form)}")
    found = read_log(path)
    assert (found.rows, found.rejected, found.swallowed) == (EVERY_ROW, [], [])


def test_in_the_header(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = _log({9: '"never closed'})
    path.write_text('user_id,item_id,timestamp,"comment\n' + log)
    assert read_log(path).rows == EVERY_ROW
    path.write_text(f'user_id,item_id,timestamp,"comment\nof two lines"\n{_log({})}')
    assert read_log(path).rows == EVERY_ROW


def test_a_setting_makes_quotes_ordinary_characters(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = _log({5: '"never closed', 6: '"quoted"'})
    path.write_text(f'{HEADER}\n{log}u1","i1,1569931200,x\n')
    found = read_log(path, quoting="none")
    assert found.rows == [*EVERY_ROW, ('u1"', '"i1', "1569931200")]
    assert (found.rejected, found.swallowed) == ([], [])


def test_it_is_told_in_a_note(tmp_path: Path) -> None:
    rows = [[*row, '"never closed' if n in (10, 90) else "x"] for n, row in enumerate(shop())]
    text = "\n".join([HEADER, *(",".join(row) for row in rows)]) + "\n"
    result = ingest(tmp_path, text)
    assert result.quality["events_kept"] == len(rows)
    [note] = [note for note in result.quality["notes"] if "double quotes" in note]
    assert note.startswith("events.csv: 80 lines, the first of them line 13, stood between")
    assert "data.quoting=none" in note


def test_items_files_too(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    titles = {4: '"Heroes', 30: '7" single', 50: '"Low'}
    lines = [f"i{n},{titles.get(n, 'A title')}" for n in range(LINES)]
    path.write_text("\n".join(["item_id,title", *lines]) + "\n")
    items, notes = catalogue.read_items(sources.item_sources([str(path)], DataConfig()))
    assert items["item_id"].to_list() == [f"i{n}" for n in range(LINES)]
    assert items["title"][4] == '"Heroes'
    assert notes[0].startswith("items.csv: 35 lines, the first of them line 7, stood between")
    path.write_text('item_id,title\ni1,"Knives, a set\nIncludes: four, sharp"\ni2,Spoon\n')
    items, notes = catalogue.read_items(sources.item_sources([str(path)], DataConfig()))
    assert items["title"].to_list() == ["Knives, a set Includes: four, sharp", "Spoon"]
    assert notes == []
