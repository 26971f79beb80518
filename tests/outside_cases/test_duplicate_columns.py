"""Of two columns with one name CSV took the first, silently, and Parquet ended in a traceback."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.outside_reading import read_log, refusal


def _write(folder: Path, form: str, names: list[str]) -> Path:
    path = folder / f"log.{form}"
    values = [["u1"], ["i1"], ["2019-10-01"], ["x"]]
    if form == "csv":
        rows = [names, [value for [value] in values]]
        path.write_text("".join(",".join(row) + "\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_arrays([pa.array(v) for v in values], names=names), path)
    return path


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["user_id", "item_id", "timestamp", "user_id"],
            "'user_id' (used as data.columns.user_id)",
        ),
        (
            ["user_id", "item_id", "timestamp", "item_id "],
            "'item_id' (used as data.columns.item_id",
        ),
        (["CustomerID", "item_id", "timestamp", "CustomerID"], "2 columns are called 'CustomerID'"),
    ],
)
def test_of_a_column_that_is_used_is_refused(
    tmp_path: Path, form: str, names: list[str], message: str
) -> None:
    assert message in refusal(_write(tmp_path, form, names))


def test_by_a_setting_too(tmp_path: Path) -> None:
    path = _write(tmp_path, "csv", ["user_id", "t", "t", "sku"])
    message = refusal(path, columns={"timestamp": "t", "item_id": "sku"})
    assert "2 columns are called 't' (used as data.columns.timestamp)" in message


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_of_columns_that_are_not_used_does_not_matter(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"log.{form}"
    if form == "csv":
        path.write_text("user_id,note,item_id,note,timestamp\nu1,a,i1,b,2019-10-01\n")
    else:
        names = ["user_id", "note", "item_id", "note", "timestamp"]
        values = [pa.array([value]) for value in ("u1", "a", "i1", "b", "2019-10-01")]
        pq.write_table(pa.Table.from_arrays(values, names=names), path)
    assert read_log(path).rows == [("u1", "i1", "2019-10-01")]
