"""A JSON line nested 3,000 deep ended the run with an internal error, and one of 5,000 the process.
It goes to the quarantine; other odd JSON is read alike whichever parser takes the block.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.cleaned_files import NOON, clean_file, json_lines


@pytest.mark.parametrize("depth", [3_000, 20_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("key", ["item_id", "more"])
def test_deep_lines_cost_themselves_only(
    tmp_path: Path, depth: int, opening: str, key: str
) -> None:
    closing = "]" if opening == "[" else "}"
    deep = f'{{"{key}": {opening * depth}1{closing * depth}, "user_id": "u", "timestamp": {NOON}'
    lines = [{}, deep + "}", {"item_id": "j"}]
    found = clean_file(json_lines(tmp_path / "log.jsonl", lines))
    assert [line for line, _ in found.rejected] == [2]
    assert found.column("item_id") == ["i", "j"]


def test_wide_lines_are_fine(tmp_path: Path) -> None:
    rows = [{"item_id": "a"}, {"item_id": "b", "more": [{"a": [1]}] * 1000}, {"item_id": "c"}]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows))
    assert found.column("item_id") == ["a", "b", "c"]
    assert found.rejected == []


@pytest.mark.parametrize("with_broken_line", [False, True])
def test_odd_json(tmp_path: Path, with_broken_line: bool) -> None:
    start = f'{{"user_id": "u", "timestamp": {NOON}'
    lines = [
        f'{start}, "item_id": "first", "item_id": "second"}}',
        f'{start}, "item_id": 123456789012345678901234567890}}',
        f'{start}, "item_id": "x", "price": 1.50}}',
        f'{start}, "item_id": 7.0}}',
        f'{start}, "item_id": null}}',
    ]
    if with_broken_line:
        lines.append('{"item_id": ')
        lines.append(f'{start}, "item_id": "y", "price": NaN}}')
        lines.append(f'{start}, "item_id": NaN}}')
        lines.append(f'{start}, "item_id": "z", "price": Infinity}}')
    found = clean_file(json_lines(tmp_path / "log.jsonl", lines))
    ids = ["first", "123456789012345678901234567890", "x", "7"]
    assert found.column("item_id") == (ids + ["y", "z"] if with_broken_line else ids)
    assert found.column("price")[2] == 1.5
    assert found.rejected[0] == (5, "missing_item_id")
    if with_broken_line:
        assert found.rejected[1:] == [(6, "unreadable"), (8, "missing_item_id")]
        assert found.notes[0].startswith("item_id: 1 values count as missing")
        assert json.dumps("Infinity")[1:-1] in found.notes[1]
