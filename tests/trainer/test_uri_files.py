"""Small files, whatever their form."""

import polars as pl
import pytest
import tensorflow as tf

from trainer.uri_files import read_json, read_parquet, write_json, write_parquet


def test_folders_are_made_and_values_come_back(tmp_path):
    write_json(f"{tmp_path}/new/a.json", {"id": "té", "shares": [0.5, 1]})
    assert read_json(f"{tmp_path}/new/a.json") == {"id": "té", "shares": [0.5, 1]}
    table = pl.DataFrame({"item": ["a", "b"], "count": [1, 2]})
    write_parquet(f"{tmp_path}/b/items.parquet", table)
    assert read_parquet(f"{tmp_path}/b/items.parquet").equals(table)
    assert read_parquet(f"{tmp_path}/b/items.parquet", ["count"]).columns == ["count"]


def test_what_is_missing_or_not_finite_is_said(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match=r"gone\.json"):
        read_json(f"{tmp_path}/gone.json")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(f"{tmp_path}/a.json", float("nan"), allow_nan=False)
    assert not (tmp_path / "a.json").exists()
