"""The rows of the quarantine, as a spreadsheet would read them."""

import csv
import io

import pytest

from components.behavior_example_gen.reading.raw_batch import Rejected
from components.behavior_example_gen.steps.quarantine import QuarantineWriter

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def quarantined(tmp_path, *contents, file="log.csv"):
    writer = QuarantineWriter(str(tmp_path / "part.csv"), file)
    writer.write([Rejected(2 + n, "bad_timestamp", text) for n, text in enumerate(contents)])
    writer.close()
    return (tmp_path / "part.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    "before", ["", " ", '"', "u1;", 'u1;"', "u1; ", "u1\t", "u1\r\n", "\t", "\n"]
)
def test_no_cell_is_a_formula_whatever_separates_columns(tmp_path, before, sign):
    text = quarantined(tmp_path, f"{before}{sign}cmd()", file=f"{sign}log.csv")
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            cells = [cell.lstrip(' "') for cell in row]
            assert not [cell for cell in cells if cell.startswith(SIGNS)], separator


def test_harmless_content_stays_as_it_is(tmp_path):
    contents = ["u1,i-1,a@b,2+2=4", "u1;i1;soon", "it's", ""]
    text = quarantined(tmp_path, *contents)
    assert list(csv.reader(io.StringIO(text))) == [
        ["log.csv", str(2 + n), "bad_timestamp", content] for n, content in enumerate(contents)
    ]


def test_the_mark_is_all_that_changes(tmp_path):
    text = quarantined(tmp_path, "=1+2;-3;u1\n@x")
    assert next(csv.reader(io.StringIO(text)))[3] == "'=1+2;'-3;u1\n'@x"
