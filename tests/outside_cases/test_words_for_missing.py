"""`NA` was a user with 193 events. Words for a missing value are one, and the notes count them."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.behavior_example_gen.reading.missing import MISSING
from tests.helpers.cleaned_files import clean_file, csv_file, json_lines, parquet


@pytest.mark.parametrize("role", ["user_id", "item_id"])
def test_words_are_no_ids(tmp_path: Path, role: str) -> None:
    words = [word for word in MISSING if word] + [" NA ", "N/A", "None", "NULL", r"\N", "undefined"]
    kept = ["0", "-1", "unknown", "guest", "Nan", "na", "NA1"]
    for path in (
        json_lines(tmp_path / "log.jsonl", [{role: value} for value in [*words, *kept]]),
        parquet(tmp_path / "log.parquet", **{role: [*words, *kept]}),
    ):
        found = clean_file(path)
        assert found.column(role) == kept
        assert {reason for _, reason in found.rejected} == {f"missing_{role}"}
        [note] = found.notes
        assert note.startswith(
            f"{role}: {len(words)} values count as missing, because they are words such as 'nan'"
        )


def test_nothing_written_is_not_told(tmp_path: Path) -> None:
    found = clean_file(csv_file(tmp_path / "log.csv", "user_id", ["", "u1"]))
    assert found.rejected == [(2, "missing_user_id")]
    assert found.notes == []


def test_other_columns_know_the_words_too(tmp_path: Path) -> None:
    row = {"category": "NA", "session_id": "null", "action": "None", "price": "N/A"}
    path = json_lines(tmp_path / "log.jsonl", [row])
    [event] = clean_file(path).events
    assert [event[name] for name in row] == ["", "", "event", -1]
    [event] = clean_file(path, actions={"None": "view"}).events
    assert event["action"] == "view"
