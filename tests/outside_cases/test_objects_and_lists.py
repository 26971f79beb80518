"""Objects and lists became ids, as their text; list columns in Parquet ended in an internal error.
An id must be plain; lists of categories are joined.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers.behavior_example_gen_runs import ingest, shop
from tests.helpers.cleaned_files import clean_file, csv_file, json_lines, parquet
from trainer.errors import DataError


@pytest.mark.parametrize("value", [{"id": "u1"}, ["u1"], [], {}, True, False])
def test_an_id_must_be_plain_in_json_lines(tmp_path: Path, value: object) -> None:
    rows = [{"user_id": value}, {"item_id": value}, {"user_id": "[deleted]", "item_id": "{x"}]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows))
    assert found.rejected == [(1, "invalid_user_id"), (2, "invalid_item_id")]
    assert [(event["user_id"], event["item_id"]) for event in found.events] == [("[deleted]", "{x")]


def test_a_log_of_objects_names_the_column(tmp_path: Path) -> None:
    rows = [{"user": {"id": user}, "item_id": item, "timestamp": t} for user, item, t in shop()]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    with pytest.raises(
        DataError, match=r"invalid_user_id 120, e.g. log.jsonl line 1, column 'user'"
    ):
        ingest(tmp_path, path)


@pytest.mark.parametrize("role", ["user_id", "item_id", "timestamp", "category"])
def test_objects_in_parquet_are_refused(tmp_path: Path, role: str) -> None:
    path = parquet(tmp_path / "log.parquet", **{role: pa.array([{"id": "u1"}])})
    with pytest.raises(DataError, match=rf"column '{role}' holds objects \(struct<id: string>\)"):
        clean_file(path)


@pytest.mark.parametrize("role", ["user_id", "item_id", "timestamp", "price", "quantity"])
def test_lists_where_one_value_is_needed_are_refused(tmp_path: Path, role: str) -> None:
    path = parquet(tmp_path / "log.parquet", **{role: pa.array([["1"]])})
    with pytest.raises(DataError, match=rf"column '{role}' holds lists .*{role} must be one plain"):
        clean_file(path)


def test_booleans_are_no_ids_in_parquet(tmp_path: Path) -> None:
    path = parquet(tmp_path / "log.parquet", item_id=pa.array([True, None]))
    assert clean_file(path).rejected == [(1, "invalid_item_id"), (2, "missing_item_id")]


def test_lists_of_categories_are_joined(tmp_path: Path) -> None:
    lists = [["Shoes", "Running"], [], None, ["Bags", None, " "], ["a\nb"]]
    expected = ["Shoes / Running", "", "", "Bags", "a b"]
    kinds = [pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.binary())]
    for kind in kinds:
        path = parquet(tmp_path / "log.parquet", category=pa.array(lists, kind))
        assert clean_file(path).column("category") == expected
    rows = [{"category": value} for value in lists]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows))
    assert found.column("category") == expected
    assert found.notes == []
    numbers = parquet(tmp_path / "log.parquet", category=pa.array([[1.0, 2.5]]))
    assert clean_file(numbers).column("category") == ["1 / 2.5"]


def test_an_object_as_category_is_unknown_and_counted(tmp_path: Path) -> None:
    rows = [{"category": {"name": "Shoes"}}, {"category": [{"name": "Shoes"}]}, {"category": "x"}]
    found = clean_file(json_lines(tmp_path / "log.jsonl", rows))
    assert found.column("category") == ["", "", "x"]
    [note] = found.notes
    assert note.startswith("category: 2 values are objects and count as unknown, e.g. ")
    assert "log.jsonl line 1" in note


def test_other_types_of_ids_in_parquet(tmp_path: Path) -> None:
    for ids, expected in (
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([b"a", b"b"], pa.large_binary()), ["a", "b"]),
        (pa.array([b"aa", b"bb"], pa.binary(2)), ["aa", "bb"]),
        (pa.array([17.0, 1.5]), ["17", "1.5"]),
        (pa.array([Decimal("17.00"), Decimal("1.50")]), ["17", "1.50"]),
        (pa.array([7, 8], pa.uint64()), ["7", "8"]),
    ):
        path = parquet(tmp_path / "log.parquet", user_id=ids)
        assert clean_file(path).column("user_id") == expected


def test_json_inside_csv_is_no_id_either(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "log.csv", "user_id", ['{"id": "u1"}', "{u1}"])
    found = clean_file(path)
    assert found.rejected == [(2, "invalid_user_id")]
    assert found.column("user_id") == ["{u1}"]
