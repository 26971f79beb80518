"""The terminal gets our lines and nothing else."""

import io
import logging
import os
import subprocess
import sys

import pytest

from tfx_pipeline.console import Console, quiet, quiet_terminal


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
