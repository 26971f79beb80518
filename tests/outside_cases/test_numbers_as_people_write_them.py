"""`1,234` was read as 1.234 and `$5.99` was unknown, and nothing was counted. Common forms are
read, what is doubtful is unknown, and what cannot be read is told.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from components.behavior_example_gen.reading.numeric_text import NumberReader
from components.behavior_example_gen.reading.remarks import ASSUMED, DOUBTFUL, UNREADABLE
from tests.helpers.behavior_example_gen_runs import ingest, shop
from tests.helpers.cleaned_files import clean_file, csv_file, parquet


def _read(*written: str, mark: str = "auto") -> list[float | None]:
    values = NumberReader(mark).read({"price": pl.Series(written)})["price"].values
    return [None if value is None else round(value, 3) for value in values]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$5.99", 5.99), ("5.99 EUR", 5.99), ("EUR5.99", 5.99), ("5,99 €", 5.99), ("€ 5,99", 5.99),
        ("1.234,50", 1234.5), ("1,234.50", 1234.5), ("1 234,50", 1234.5), ("1\u00a0234,50", 1234.5),
        ("1\u202f234,50 zł", 1234.5), ("1'234.50", 1234.5), ("CHF 1’234.50", 1234.5),
        ("12,34,567.50", 1234567.5), ("1.234.567", 1234567), ("1,234,567", 1234567),
        ("12 345", 12345), ("(5.00)", -5), ("-$5.00", -5), ("$-5.00", -5), ("5.00-", -5),
        ("−5,5", -5.5), ("+5,5", 5.5), ("R$ 1.234,56", 1234.56), ("US$5", 5), ("Rs. 500", 500),
        ("5,-", 5), ("5.-- CHF", 5), ("５．９９", 5.99),
        ("１，２３４．５０", 1234.5), ("٥٫٩٩", 5.99),
        ("1e3", 1000), (".5", 0.5), (",5", 0.5), ("0,234", 0.234), ("1,2345", 1.2345),
    ],
)  # fmt: skip
def test_common_forms(text: str, value: float) -> None:
    assert _read(text) == [pytest.approx(value, abs=0.0006)]


@pytest.mark.parametrize(
    "text",
    [
        "10%", "1/2", "5-10", "3 kg", "12 pcs", "1.5k", "C5", "10²", "inf", "true", "abc", "$",
        "01.10.2019", "1,234,5", "1..2", "1 2", "1_000", "((5))", "- -5", "5 $ 6", "0x10", "{}",
        "1.234,b50", "1.234,5č0", "1.2x3", ".5,5",
    ],
)  # fmt: skip
def test_what_is_no_number_is_unknown_and_told(text: str) -> None:
    found = NumberReader().read({"price": pl.Series(["7", text, None, "NA", "", "-"])})["price"]
    assert found.values.to_list() == [7, None, None, None, None, None]
    assert {kind: rows.to_list() for kind, rows in found.remarks.items()} == {UNREADABLE: [1]}


def test_thousands_or_decimals_is_told_by_the_rest_of_the_file() -> None:
    assert _read("1,234", "5.99") == [1234, 5.99]
    assert _read("1,234", "1,234.5") == [1234, 1234.5]
    assert _read("1,234", "5,99") == [1.234, 5.99]
    assert _read("1.234", "5,99") == [1234, 5.99]
    assert _read("$1.234", "5.99") == [1.234, 5.99]
    assert _read("1,234", "1.234", "5,99", "5.99") == [None, None, 5.99, 5.99]
    assert _read("1,234", "7") == [None, 7]
    assert _read("1,234", "1.234", mark="point") == [1234, 1.234]
    assert _read("1,234", "1.234", mark="comma") == [1.234, 1234]


def test_other_columns_and_earlier_batches_tell_too() -> None:
    reader = NumberReader()
    quantity = pl.Series(["1,000", "2"])
    first = reader.read({"quantity": quantity})["quantity"]
    assert first.values.to_list() == [None, 2]
    assert list(first.remarks) == [DOUBTFUL]
    both = reader.read({"quantity": quantity, "price": pl.Series(["5.99", "7"])})
    assert both["quantity"].values.to_list() == [1000, 2]
    assert reader.read({"quantity": quantity})["quantity"].values.to_list() == [1000, 2]


def test_a_point_without_any_sign_is_a_decimal_point_and_told() -> None:
    found = NumberReader().read({"price": pl.Series(["1.234", "7"])})["price"]
    assert found.values.to_list() == [pytest.approx(1.234), 7]
    assert list(found.remarks) == [ASSUMED]
    assert NumberReader().read({"price": pl.Series(["1.234", "0.500"])})["price"].remarks == {}


def test_the_notes_count_and_show(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "log.csv", "price", ["1,234", "abc", "$2,345", "7"])
    found = clean_file(path)
    assert found.column("price") == [-1, -1, -1, 7]
    assert found.notes == [
        "price: 1 values are no numbers and count as unknown, e.g. 'abc' (log.csv line 3)",
        "price: 2 values have a comma or point that may mark decimals or thousands, and count as "
        "unknown, e.g. '1,234' (log.csv line 2); say which in data.decimal_mark (point or comma)",
    ]
    assert clean_file(path, decimal_mark="point").column("price") == [1234, -1, 2345, 7]


def test_returns_in_brackets(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "log.csv", "quantity", ["(2)", "2-", "2"])
    found = clean_file(path)
    assert found.column("returned") == [True, True, False]
    assert found.column("quantity") == [2, 2, 2]


def test_typed_numbers_stay(tmp_path: Path) -> None:
    path = parquet(tmp_path / "log.parquet", price=[1.234, float("nan")], quantity=[1000, None])
    found = clean_file(path)
    assert found.column("price") == [pytest.approx(1.234), -1]
    assert found.column("quantity") == [1000, -1]
    assert found.notes == []


def test_prices_of_the_items_file(tmp_path: Path) -> None:
    rows = [[*row, "1,5" if n else "much"] for n, row in enumerate(shop())]
    events = tmp_path / "log.csv"
    pl.DataFrame(rows, ["user_id", "item_id", "timestamp", "price"], orient="row").write_csv(events)
    items = 'item_id,price\ni0,"$1,234.50"\ni1,"1,234"\ni2,dear\n'
    result = ingest(tmp_path, events, items)
    assert dict(result.items.select("item_id", "price").rows()) == {
        "i0": 1234.5, "i1": 1234, "i2": None, "i3": None, "i4": None,
    }  # fmt: skip
    notes = result.quality["notes"]
    assert (
        "price: 1 values are no numbers and count as unknown, e.g. 'much' (log.csv line 2)" in notes
    )
    assert (
        "items: price: 1 values are no numbers and count as unknown, e.g. 'dear' (items.csv line 4)"
        in notes
    )
