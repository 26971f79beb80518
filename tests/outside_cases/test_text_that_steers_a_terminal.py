"""Escape codes, line breaks, reversed text and titles of 100 kB reached the terminal and the report
page; both put all text through one place that makes it fit to be shown.
"""

from __future__ import annotations

import io

import pytest

from components.gates.verdict import Verdict
from components.run_report.charts.svg import Drawing
from components.run_report.inputs import ReportInputs
from components.run_report.page import render
from tfx_pipeline.terminal.console import Console
from tfx_pipeline.terminal.failures import one_line, user_message
from trainer.settings import ConfigError
from trainer.shown_text import LONGEST, shown_lines, shown_text

HOSTILE = {
    "colour": ("\x1b[31mRed\x1b[0m shoe", "Red shoe"),
    "cursor": ("a\x1b[2J\x1b[1;1Hb", "ab"),
    "window title": ("a\x1b]0;owned\x07b", "ab"),
    "link": ("\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\", "here"),
    "eight-bit colour": ("\x9b31mRed", "Red"),
    "character set": ("a\x1b(0b", "ab"),
    "an escape that does not end": ("a\x1b[", "a"),
    "line breaks": ("two\r\nlines\u2028three\x85four", "two lines three four"),
    "tab": ("a\tb", "a b"),
    "backspace and bell": ("a\x08\x07b", "a\ufffd\ufffdb"),
    "NUL": ("a\x00b", "a\ufffdb"),
    "reversed": ("abc\u202etxt.exe\u2066", "abc\ufffdtxt.exe\ufffd"),
    "half a character": ("a\ud800b\udcffc", "a\ufffdb\ufffdc"),
}
KEPT = [
    "",
    "  indented",
    "Café – 5 €",
    "男の子 👩‍👩‍👧",
    "שלום\u200f",
    "می\u200cخواهم",
    "no\u00a0break",
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_shown(text, shown):
    assert shown_text(text) == shown
    assert shown_text("x" + text).isprintable()


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_stays(text):
    assert shown_text(text) == text


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "\x1b]" * 50_000, "\x1b[31m" * 30_000, "é\n" * 9999]
)
def test_long_text_is_cut(text):
    assert len(shown_text(text)) <= LONGEST
    assert shown_text(text).endswith("…")
    assert len(shown_text(text, 20)) <= 20


def terminal(write):
    stream = io.StringIO()
    write(Console(stream))
    return stream.getvalue()


@pytest.mark.parametrize("text", [text for text, _ in HOSTILE.values()] + ["x" * 100_000])
def test_the_terminal(text):
    for write in (
        lambda console: console.line(f"Customer {text}"),
        lambda console: console.heading(text),
        lambda console: console.table(["item", text], [["1", text], [text, "2"]], ("item", text)),
    ):
        written = terminal(write)
        assert "\x1b" not in written
        assert len(written) < 10_000
        assert all(line.isprintable() for line in written.split("\n"))
    assert terminal(lambda console: console.line(text)).count("\n") == 1


def test_messages_that_quote_data():
    hostile = "\x1b[31mlog.csv\u202e"
    message = user_message(ConfigError(f"column {hostile} is missing;\nname it"))
    assert message == "column log.csv\ufffd is missing;\nname it"
    quoted = f"Traceback\ntrainer.settings.ConfigError: column {hostile}\n"
    assert user_message(RuntimeError(quoted)) == "column log.csv\ufffd"
    assert one_line(ValueError(f"{hostile} {'x' * 1000}")).startswith("ValueError: log.csv\ufffd x")
    assert len(one_line(ValueError("x" * 1000))) <= 300
    assert len(shown_lines("line\n" * 1000).splitlines()) == 51


def test_charts_of_the_page():
    drawing = Drawing(10, 10, "l\x1b[31m\u202e", "d\x00")
    drawing.text(1, 1, "\x1b[31mname\u202e")
    drawing.add("rect", title="\x07" + "x" * 100_000, d="M" + "1 2 " * 5000)
    image = str(drawing.svg())
    assert "\x1b" not in image
    assert "\u202e" not in image
    assert "\x07" not in image
    assert "x" * 1001 not in image
    assert "1 2 " * 5000 in image


def test_the_page():
    hostile = "\x1b[31m<b>shop\u202e\x00"
    page = render(
        ReportInputs(
            run_name=hostile,
            created="2026-01-01T00:00:00+00:00",
            verdict=Verdict("not_judged"),
            provenance={
                "file\x1b[0m": hostile,
                "nested": {"a": f"{hostile}\x7f", "b": "x" * 10**5},
            },
            notes=[hostile + "y" * 100_000],
        )
    )
    for character in "\x1b\u202e\x00\x7f":
        assert character not in page
    assert "&lt;b&gt;shop" in page
    assert "<b>shop" not in page
    assert "x" * 1001 not in page
    assert "y" * 1001 not in page
    assert "&#34;nested&#34;" not in page
    assert "<pre>{\n" in page
