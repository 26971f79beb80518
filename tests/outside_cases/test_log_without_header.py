"""A log without column names was taken for sequences, its ratings and times for items.

`user item rating epoch`, one event a line, with tabs, spaces or `::`; and with commas, where the
first row became the header.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading import sources
from tests.helpers.outside_reading import read_log, refusal
from tests.helpers.repository import SHARED_DATA
from trainer.errors import DataError

EVENTS = [(f"{n * 7 % 5 + 190}", f"{n * 13 % 11}", n % 5 + 1, 881250949 + n) for n in range(40)]


def _write(path: Path, separator: str, events: list[tuple] = EVENTS, header: str = "") -> Path:
    lines = [separator.join(map(str, event)) for event in events]
    path.write_text("\n".join([header, *lines] if header else lines) + "\n")
    return path


@pytest.mark.parametrize("separator", ["\t", " ", "   "])
def test_is_refused_with_what_to_do(tmp_path: Path, separator: str) -> None:
    message = refusal(_write(tmp_path / "u.data", separator))
    assert "u.data: reads like one event a line, without column names: each line has 4" in message
    assert "the first 40 lines have only 5 users, the last field looks like a time" in message
    assert "put a line of column names on top" in message
    assert "data.format=sequences" in message


@pytest.mark.parametrize(
    ("events", "sign"),
    [
        (
            [(f"u{n}", "a b c d e f"[: 2 * (n % 5) + 1], 881250949 + n) for n in range(9)],
            "the last",
        ),
        (
            [(f"u{n}", "2019-10-01", "a b c d"[: 2 * (n % 3) + 1]) for n in range(9)],
            "field 2 looks",
        ),
        ([(f"u{n}", f"i{n}", 4) for n in range(9)], "each line has 3 fields"),
        ([(f"u{n % 3}", "a b c d"[: 2 * (n % 3) + 1]) for n in range(9)], "have only 3 users"),
        ([(f"u{n}", f"i{n}") for n in range(9)], "each line has 2 fields"),
    ],
)
def test_each_sign_alone_is_enough(tmp_path: Path, events: list[tuple], sign: str) -> None:
    assert sign in refusal(_write(tmp_path / "log.txt", " ", events))


def test_the_setting_wins_and_a_note_remains(tmp_path: Path) -> None:
    found = read_log_of_sequences(_write(tmp_path / "u.data", "\t"), format="sequences")
    assert "it is read as data.format=sequences says" in found


def read_log_of_sequences(path: Path, **settings: object) -> str:
    [source] = sources.event_sources([str(path)], DataConfig.from_dict(settings))
    assert source.format == "sequences"
    return " ".join(source.notes)


@pytest.mark.parametrize("separator", ["\t", " "])
def test_with_column_names_it_is_read(tmp_path: Path, separator: str) -> None:
    header = separator.join(["user", "item", "rating", "timestamp"])
    path = _write(tmp_path / "u.data", separator, EVENTS, header)
    expected = [(user, item, str(time)) for user, item, _, time in EVENTS]
    assert read_log(path).rows == expected


def test_two_colons_between_the_fields(tmp_path: Path) -> None:
    path = _write(tmp_path / "ratings.dat", "::")
    for settings in ({}, {"format": "csv"}):
        message = refusal(path, **settings)
        assert "Put a comma or a tab in place of every '::'" in message
        assert "a line of column names on top" in message


def test_commas(tmp_path: Path) -> None:
    message = refusal(_write(tmp_path / "log.csv", ","))
    assert "They look like a row of data: put a line of column names on top" in message
    items = tmp_path / "items.csv"
    items.write_text("1,Toy Story,1995\n2,Heat,1995\n")
    with pytest.raises(DataError, match="They look like a row of data"):
        sources.item_sources([str(items)], DataConfig())


@pytest.mark.parametrize(
    "lines",
    [
        ["1 10 11 12", "2 10", "3 12 10", "4 10 11 12 13 14"],
        ["user1 item5 item9", "user2 item5", "user3 item7 item5 item9 item1"],
        # Ids that could be times, all of them.
        ["1 1234567890 1234567891", "2 1334567890", "3 1234567892 1434567890 1534567890"],
        ["a 1 2", "b 2 1"],
    ],
)
def test_sequences_are_taken_as_before(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "sequences.txt"
    path.write_text("\n".join(lines) + "\n")
    assert read_log_of_sequences(path) == ""


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="needs the data beside the checkout")
@pytest.mark.parametrize("name", ["beauty", "toys"])
def test_published_sequences_are_taken_as_before(name: str) -> None:
    assert read_log_of_sequences(SHARED_DATA / name / "sequences.txt") == ""
