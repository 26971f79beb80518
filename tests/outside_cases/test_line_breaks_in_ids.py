"""Ids and actions with line breaks, which JSON Lines and Parquet can have, vanished between the
steps of the pipeline. Such rows go to the quarantine; in other text the breaks become spaces.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.cleaned_files import clean_file, json_lines, parquet

_BREAKS = ["a\nb", "a\rb", "a\tb", "a\x1bb", "a\x85b", "a\u2028b"]


@pytest.mark.parametrize("role", ["user_id", "item_id", "action"])
def test_rows_are_rejected(tmp_path: Path, role: str) -> None:
    expected = [(line, f"invalid_{role}") for line in range(1, len(_BREAKS) + 1)]
    rows = [{role: value} for value in [*_BREAKS, "\n padded \n"]]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows))
    assert found.rejected == expected
    assert found.column(role) == ["padded"]
    found = clean_file(parquet(tmp_path / "log.parquet", **{role: [*_BREAKS, " padded\n"]}))
    assert found.rejected == expected
    assert found.column(role) == ["padded"]


@pytest.mark.parametrize("role", ["session_id", "category", "title", "brand"])
def test_other_text_gets_spaces(tmp_path: Path, role: str) -> None:
    columns = {"title": role} if role == "title" else {}
    rows = [{role: value} for value in _BREAKS]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows), columns=columns)
    assert found.column(role) == ["a b"] * len(_BREAKS)
