"""The files between ItemContentEncoder and Trainer.encoder."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from trainer.data.item_content import ItemContent

VECTORS = np.array([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], dtype=np.float32)


def content(**changes):
    parts = {
        "item_ids": [b"tea", b"line\nbreak", "käse".encode()],
        "has_vector": np.array([True, False, True]),
        "vectors": VECTORS,
        "source": {"fingerprint": "f"},
    }
    return ItemContent(**(parts | changes))


def test_what_is_saved_is_loaded(tmp_path):
    content().save(str(tmp_path / "new"))
    loaded = ItemContent.load(str(tmp_path / "new"))
    assert loaded.item_ids == content().item_ids
    assert loaded.has_vector.tolist() == [True, False, True]
    np.testing.assert_array_equal(loaded.vectors, VECTORS)
    assert loaded.vectors.dtype == np.float32
    assert (loaded.dim, loaded.source, loaded.reason) == (3, {"fingerprint": "f"}, "")
    description = json.loads((tmp_path / "new" / "content.json").read_text())
    assert (description["items"], description["with_vector"]) == (3, 2)


@pytest.mark.parametrize("ids", [[], [b"tea", b"milk"]])
def test_a_catalogue_without_vectors_can_be_loaded_too(ids, tmp_path):
    ItemContent.empty(ids, "switched off").save(str(tmp_path))
    loaded = ItemContent.load(str(tmp_path))
    assert (loaded.item_ids, loaded.dim, loaded.reason) == (ids, 0, "switched off")
    vectors, has = loaded.lookup([b"tea"])
    assert vectors.shape == (1, 0)
    assert has.tolist() == [False]


def test_lookup_is_in_the_order_asked_for():
    vectors, has = content().lookup(["käse".encode(), b"unknown", b"line\nbreak", b"tea", b"tea"])
    assert has.tolist() == [True, False, False, True, True]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(
        vectors, [VECTORS[1], [0, 0, 0], [0, 0, 0], VECTORS[0], VECTORS[0]]
    )
    nothing, has = content().lookup([])
    assert nothing.shape == (0, 3)
    assert has.shape == (0,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"has_vector": np.array([True, False])}, "3 items need a bool each"),
        ({"has_vector": np.array([1, 0, 1])}, "3 items need a bool each"),
        ({"vectors": VECTORS[:1]}, "2 items have a vector, but the vectors are float32"),
        ({"vectors": VECTORS.astype(np.float64)}, "but the vectors are float64"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        content(**changes)


def test_files_that_disagree_or_are_of_another_version_are_refused(tmp_path):
    content().save(str(tmp_path))
    pl.DataFrame({"item_id": ["tea"], "has_vector": [True]}).write_parquet(
        tmp_path / "items.parquet"
    )
    with pytest.raises(ValueError, match="1 items have a vector"):
        ItemContent.load(str(tmp_path))
    (tmp_path / "content.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="format 99, this version reads 1"):
        ItemContent.load(str(tmp_path))
