"""The terminal gets our lines and nothing else."""

import io
import logging
import os
import subprocess
import sys

import pytest

from tfx_pipeline.terminal.console import Console, quiet, quiet_terminal


def test_everything_but_our_lines_goes_to_the_log(tmp_path, capfd):
    log = tmp_path / "logs" / "run.log"
    with quiet_terminal(log) as console:
        print("from python")
        os.write(2, b"from C++\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        logging.getLogger("tfx").warning("from a logger")
        console.line("for [the] user")
    print("after")
    out, err = capfd.readouterr()
    assert out == "for [the] user\nafter\n"
    assert err == ""
    text = log.read_text()
    assert all(part in text for part in ("from python", "from C++", "a child", "from a logger"))


def test_the_terminal_comes_back_after_an_error(tmp_path, capfd):
    with pytest.raises(KeyError), quiet_terminal(tmp_path / "run.log"):
        raise KeyError
    print("visible")
    assert capfd.readouterr().out == "visible\n"


def test_quiet_drops_and_restores(capfd):
    with quiet():
        print("dropped")
    print("kept")
    assert capfd.readouterr().out == "kept\n"


def test_tables_are_plain_text_without_a_terminal():
    stream = io.StringIO()
    Console(stream).table(["model", "hr@10"], [["own [items]", "0.1000"], ["x", "0.2000"]])
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines == [["model", "hr@10"], ["own", "[items]", "0.1000"], ["x", "0.2000"]]


def test_odd_ids_are_printed_as_they_are():
    odd = [":heart:", "[b]", "back\\", "a,b", "007", "żółć", "i" * 60]
    stream = io.StringIO()
    console = Console(stream)
    console.table(["rank", "item", "title"], [["1", i, "T" * 200] for i in odd], ("item", "title"))
    assert [line.split()[1] for line in stream.getvalue().splitlines()[1:]] == odd
    stream.truncate(0)
    stream.seek(0)
    for item in odd:
        console.line(item)
    assert stream.getvalue().splitlines() == odd


def test_a_narrow_terminal_breaks_text_and_keeps_numbers(monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setenv("COLUMNS", "40")
    Console(stream).table(["item", "title", "score"], [["i1", "T" * 90, "0.25"]], ("item", "title"))
    assert "0.25" in stream.getvalue()
    assert stream.getvalue().count("T") == 90
