"""Prices and quantities as people write them: currencies, thousands, decimal points and commas."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from components.behavior_example_gen.reading.missing import MISSING
from components.behavior_example_gen.reading.remarks import ASSUMED, DOUBTFUL, UNREADABLE

_POINT, _COMMA = ".", ","
_CURRENCIES = frozenset(
    """AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR EURO GBP HKD HUF IDR ILS INR JPY KRW
    MXN MYR NGN NOK NZD PEN PHP PKR PLN RMB RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR
    FR FT KČ KR LEI RS ЛВ РУБ ZŁ""".split()  # noqa: SIM905 (a list of one a line is no clearer)
)
_DOLLARS = re.compile(r"\b(?:US|AU|CA|NZ|HK|A|C|R|S)\$")
_NUMBER_PART = re.compile(r"[.,]?[0-9](?:.*[0-9])?", re.DOTALL)
_WHOLE_AMOUNT = re.compile(r"^[.,](?:--?|–|—)?(?=\s|$)")
_GROUPS = {
    _COMMA: r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}",  # also lakh and crore
    _POINT: r"[0-9]{1,3}(?:\.[0-9]{3})+",
    "'": r"[0-9]{1,3}(?:'[0-9]{3})+",
    " ": r"[0-9]{1,3}(?: [0-9]{3})+",
}
_OTHER_SIGNS = str.maketrans("’٬٫．，−－＋＄（）", "''..,--+$()")
_PROOF_OF_POINT = r"^[+-]?(?:[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,})\.[0-9]{3})$"
_OPEN_POINT = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_HEAD = 1_000


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column."""

    values: pl.Series
    """Float32; null if unknown."""
    remarks: dict[str, pl.Series] = field(default_factory=dict)
    """Rows (their positions, ascending) by remark: UNREADABLE, DOUBTFUL, ASSUMED."""


@dataclass(frozen=True)
class _Parsed:
    """One text: its value whatever the decimal mark is, or else its value for each mark."""

    value: float | None = None
    by_mark: Mapping[str, float] = field(default_factory=dict)
    proves: str = ""
    """The decimal mark, if the text shows it."""


class NumberReader:
    """Reads the number columns of one file, and remembers its decimal mark.

    `1,234` is 1234 in a file that also has `5.99`, and 1.234 in one that also has `5,99`. Where
    neither occurs, or both do, it is unknown.
    """

    def __init__(self, decimal_mark: str = "auto") -> None:
        """Takes the mark of data.decimal_mark: "auto", "point" or "comma"."""
        self._given = {"auto": "", "point": _POINT, "comma": _COMMA}[decimal_mark]
        self._proved: set[str] = set()

    def read(self, columns: Mapping[str, pl.Series]) -> dict[str, Numbers]:
        """Reads the columns of a batch, text or numbers."""
        result = {}
        texts = {}
        for name, values in columns.items():
            if values.dtype.is_numeric():
                numbers = values.cast(pl.Float32, strict=False)
                result[name] = Numbers(numbers.set(~numbers.is_finite(), None))
            else:
                texts[name] = values.cast(pl.String).str.strip_chars()
        plain = {name: _plain(text) for name, text in texts.items()}
        others = {name: _others(text, plain[name]) for name, text in texts.items()}
        parsed = {text: _parse(text) for unique in others.values() for text in unique}
        self._proved |= {found.proves for found in parsed.values()} - {""}
        if _POINT not in self._proved and any(_has_proof(text) for text in texts.values()):
            self._proved.add(_POINT)
        for name, text in texts.items():
            found = {other: parsed[other] for other in others[name]}
            result[name] = self._resolve(text, plain[name], found)
        return result

    def _resolve(
        self, text: pl.Series, numbers: pl.Series, parsed: Mapping[str, _Parsed]
    ) -> Numbers:
        marks = {self._given} if self._given else self._proved
        mark = next(iter(marks)) if len(marks) == 1 else ""
        remarks: dict[str, pl.Series] = {}
        if mark != _POINT:
            rows = text.str.contains(_OPEN_POINT).fill_null(False).arg_true()
            if not rows.is_empty():
                if mark == _COMMA:
                    numbers = numbers.scatter(rows, numbers.gather(rows) * 1_000)
                elif marks:
                    numbers = numbers.scatter(rows, None)
                    remarks[DOUBTFUL] = rows
                else:
                    remarks[ASSUMED] = rows
        if not parsed:
            return Numbers(numbers, remarks)
        known: dict[str, float] = {}
        for key, found in parsed.items():
            value = found.value if found.value is not None else found.by_mark.get(mark)
            if value is not None:
                known[key] = value
        rows = text.is_in(list(parsed)).fill_null(False).arg_true()
        read = text.gather(rows).replace_strict(known, default=None, return_dtype=pl.Float32)
        open_texts = [key for key, found in parsed.items() if found.by_mark]
        doubtful = text.gather(rows).is_in(open_texts)
        lost = read.is_null()
        for remark, which in ((UNREADABLE, lost & ~doubtful), (DOUBTFUL, lost & doubtful)):
            if which.any():
                more = [rows.filter(which), *([remarks[remark]] if remark in remarks else [])]
                remarks[remark] = pl.concat(more).sort()
        return Numbers(numbers.scatter(rows, read), remarks)


def _plain(text: pl.Series) -> pl.Series:
    """What needs no rules; infinite numbers are none."""
    numbers = text.cast(pl.Float32, strict=False)
    return numbers.set(~numbers.is_finite(), None)


def _others(text: pl.Series, numbers: pl.Series) -> list[str]:
    """The different texts that are not plain numbers, missing ones left out."""
    if numbers.null_count() == text.null_count():
        return []
    rest = text.filter(numbers.is_null() & text.is_not_null()).unique()
    return rest.filter(~rest.is_in(MISSING)).to_list()


def _has_proof(text: pl.Series) -> bool:
    head = text.head(_HEAD).str.contains(_PROOF_OF_POINT).any()
    return bool(head or text.str.contains(_PROOF_OF_POINT).any())


def _parse(text: str) -> _Parsed:
    """A number with a currency, thousands or another decimal mark; empty if it is none."""
    text = "".join(map(_plain_character, text.translate(_OTHER_SIGNS))).strip()
    negative = text.startswith("(") and text.endswith(")")
    if negative:
        text = text[1:-1]
    part = _NUMBER_PART.search(text)
    if part is None:
        return _Parsed()
    around = f"{text[: part.start()]} {_WHOLE_AMOUNT.sub('', text[part.end() :])}"
    around = _DOLLARS.sub("", around)
    signs = around.count("-") + around.count("+")
    if signs > 1 or (signs and negative):
        return _Parsed()
    negative |= "-" in around
    words = "".join(
        " " if character in "+-." or unicodedata.category(character) == "Sc" else character
        for character in around
    )
    if not _CURRENCIES.issuperset(words.upper().split()):
        return _Parsed()
    number = _parse_digits(part.group())
    if not negative:
        return number
    return _Parsed(
        None if number.value is None else -number.value,
        {mark: -value for mark, value in number.by_mark.items()},
        number.proves,
    )


def _plain_character(character: str) -> str:
    """Any script's digits as ours, any space as a space."""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    return " " if character.isspace() else character


def _parse_digits(text: str) -> _Parsed:
    """Digits with points, commas, spaces and apostrophes; empty if they make no sense."""
    if not re.fullmatch("[0-9., ']+", text):
        return _Parsed()
    for separator in " '":
        if separator in text:
            found = re.fullmatch(rf"({_GROUPS[separator]})(?:([.,])([0-9]+))?", text)
            if found is None:
                return _Parsed()
            whole, mark, decimals = found.groups()
            return _Parsed(_value(whole, decimals or ""), proves=mark or "")
    marks = [character for character in text if character in ".,"]
    if not marks:
        return _Parsed(float(text))
    mark = marks[-1]
    other = _POINT if mark == _COMMA else _COMMA
    whole, _, decimals = text.rpartition(mark)
    if len(set(marks)) == 2:
        if marks.count(mark) > 1 or not re.fullmatch(_GROUPS[other], whole):
            return _Parsed()
        return _Parsed(_value(whole, decimals), proves=mark)
    if len(marks) > 1:
        if not re.fullmatch(_GROUPS[mark], text):
            return _Parsed()
        return _Parsed(_value(text, ""), proves=other)
    if len(decimals) == 3 and 0 < len(whole) <= 3 and not whole.startswith("0"):
        return _Parsed(by_mark={mark: _value(whole, decimals), other: _value(whole + decimals, "")})
    return _Parsed(_value(whole, decimals), proves=mark)


def _value(whole: str, decimals: str) -> float:
    digits = re.sub(r"[^0-9]", "", whole)
    return float(f"{digits or 0}.{decimals or 0}")
