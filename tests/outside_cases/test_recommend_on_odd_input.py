"""`recommend` with a line break in the history, or on a terminal that is not UTF-8, failed as a
component does; input faults are told in words, and what cannot be shown becomes a question mark.
"""

from __future__ import annotations

import io
import sys

import pytest

import tfx_pipeline.commands.recommend as command
from tfx_pipeline.cli import main
from tfx_pipeline.paths.inputs import InputError
from tfx_pipeline.serving.titled_recommender import Recommendation, parse_history

LISTS = {
    "": [],
    "  ": [],
    ",": [],
    "a,b": ["a", "b"],
    " a , b\t,, c ": ["a", "b", "c"],
    "a,a,b,a": ["a", "a", "b", "a"],
    '"a,b",c': ["a,b", "c"],
    'a, "b, c" ,d': None,
    '"say ""hi""",c': ['say "hi"', "c"],
    'size 5" nail,b': ['size 5" nail', "b"],
    "a\n": ["a"],
    "Käse,茶": ["Käse", "茶"],
}


@pytest.mark.parametrize("text", LISTS)
def test_lists_of_ids(text):
    if LISTS[text] is None:
        with pytest.raises(InputError, match="double quotes"):
            parse_history(text)
    else:
        assert parse_history(text) == LISTS[text]


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb", "\n\na", 'a,"b\nc"', "a\u2028b"])
def test_a_line_break(text):
    with pytest.raises(InputError, match="--history holds a line break"):
        parse_history(text)


@pytest.mark.parametrize("text", ['"a,b', '"a"b,c', "x" * 200_000])
def test_what_is_no_list(text):
    with pytest.raises(InputError, match="--history cannot be read"):
        parse_history(text)


def test_faults_are_told_before_anything_is_loaded(tmp_path, capsys):
    assert main(["recommend", "--model", str(tmp_path), "--history", "a\nb"]) == 2
    assert "--history holds a line break" in capsys.readouterr().err
    assert main(["recommend", "--model", str(tmp_path / "none"), "--history", "a"]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert main(["recommend", "--model", str(tmp_path), "--history", "a"]) == 2
    assert "it holds no SavedModel" in capsys.readouterr().err
    file = tmp_path / "model.txt"
    file.write_text("no model")
    assert main(["recommend", "--model", str(file), "--history", "a"]) == 2
    assert "it holds no SavedModel" in capsys.readouterr().err


def test_a_damaged_model(tmp_path, capsys):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    assert main(["recommend", "--model", str(tmp_path), "--history", "a"]) == 2
    assert f"the model at {str(tmp_path)!r} cannot be loaded" in capsys.readouterr().err


def test_a_damaged_description(tmp_path, capsys):
    version = tmp_path / "serving" / "1"
    (version / "assets.extra").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"")
    for damaged in ("{", "[]"):
        (version / "assets.extra" / "model.json").write_text(damaged)
        assert main(["serving", "list", str(tmp_path)]) == 2
        assert "model.json' is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_a_terminal_of_few_characters(tmp_path, monkeypatch, encoding):
    """As with LC_ALL=C, PYTHONIOENCODING=latin-1: titles and marks that it lacks are replaced."""

    class Shop:
        def for_items(self, history, action, k, shelf, asks):
            return [Recommendation(1, "茶", "Tee – 5 € \x1b[31m", 0.5)]

        def unknown(self, history):
            return ["Käse", "\udcff"]

    monkeypatch.setattr(command, "_recommender", lambda arguments: Shop())
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert main(["recommend", "--model", str(tmp_path), "--history", "a", "--debug"]) == 0
    sys.stdout.flush()
    text = written.getvalue().decode(encoding)
    assert "Tee" in text
    assert "?" in text
    assert "Unknown to the model: K" in text
