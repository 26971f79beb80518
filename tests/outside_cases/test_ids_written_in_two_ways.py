"""`1` in one file and `1.0` in the next are two users: ids stay as written, but a note tells."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from components.behavior_example_gen.cleaning.id_forms import IdForms, note
from tests.helpers.behavior_example_gen_runs import ingest, shop, table


def _note(*files: list[str]) -> str | None:
    forms = []
    for number, ids in enumerate(files):
        forms.append(IdForms(f"part{number}.csv"))
        forms[-1].add(pl.Series(ids, dtype=pl.String))
    return note("user_id", forms)


def test_decimal_points() -> None:
    assert _note(["1", "2"], ["1.0", "2.0"]) == (
        "user_id: '1.0' (as in part1.csv) and '1' (as in part0.csv) are different ids; if they are "
        "the same, write them alike in all files"
    )
    assert _note(["1", "1.0"]) is not None
    assert _note(["1.0"], ["2.0"]) is None
    assert _note(["1.5", "v1.0"], ["1"]) is None


def test_leading_zeros() -> None:
    found = _note(["007", "012"], ["7", "12"])
    assert found is not None
    assert found.startswith(
        "user_id: part0.csv pads its ids with zeros ('007'), part1.csv does not"
    )
    assert _note(["007", "123"], ["456", "789"]) is None
    assert _note(["0", "10"], ["7"]) is None
    assert _note([], ["a"], ["007"]) is None


def test_the_account_tells(tmp_path: Path) -> None:
    log = [[user[1:], item[1:], moment] for user, item, moment in shop()]
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(table(log[:60]))
    second.write_text(table([[f"{user}.0", item, moment] for user, item, moment in log[60:]]))
    result = ingest(tmp_path, [first, second], min_item_events=1, split="leave_one_out")
    assert [text for text in result.quality["notes"] if "different ids" in text] == [
        "user_id: '0.0' (as in b.csv) and '0' (as in a.csv) are different ids; if they are the "
        "same, write them alike in all files"
    ]
    # JSON and Parquet write whole floats without decimals, so that files agree.
    lines = tmp_path / "c.jsonl"
    keys = ("user_id", "item_id", "timestamp")
    rows = [dict(zip(keys, [float(u), i, t], strict=True)) for u, i, t in log[60:]]
    lines.write_text("\n".join(json.dumps(row) for row in rows))
    quality = ingest(tmp_path, [first, lines]).quality
    assert quality["users"] == 6
    assert not any("different ids" in text for text in quality["notes"])


def test_a_file_without_one_good_row_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.csv", tmp_path / "b.csv"
    good.write_text(table(shop()))
    bad.write_text(table([["u1", "i1", "soon"]] * 3))
    notes = ingest(tmp_path, [good, bad]).quality["notes"]
    assert any(note.startswith("b.csv: 3 of its 3 rows cannot be used") for note in notes)
