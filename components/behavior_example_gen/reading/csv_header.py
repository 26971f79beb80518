"""The first line of a CSV file: its separator and its column names."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

_SEPARATORS = ",;\t|"
_FEWEST_WORDS = 3
_MOST_LINES = 20


@dataclass(frozen=True)
class Header:
    """The names of the columns and where they stand."""

    names: tuple[str, ...]
    lines: int
    """Lines up to its end, blank ones above it included."""
    separator: str
    text: str
    """Its first line."""


def read_header(text: str, separator: str, quoted: bool) -> Header:
    """Reads the names of the columns.

    Args:
        text: the beginning of a file, with a line that is not blank.
        separator: one character, or "auto".
        quoted: names may be in double quotes.
    """
    lines = text.split("\n")
    first = next(number for number, line in enumerate(lines) if line.strip())
    line = lines[first]
    if separator == "auto":
        separator = _separator(line, quoted)
    used = 1
    if not quoted:
        names = line.split(separator)
    else:
        names, used = _quoted_names(lines[first : first + _MOST_LINES], separator)
    return Header(tuple(name.strip() for name in names), first + used, separator, line)


def _separator(line: str, quoted: bool) -> str:
    bare = re.sub(r'"[^"]*"', "", line) if quoted else line
    best = max(_SEPARATORS, key=bare.count)
    if best not in bare and len(bare.split(" ")) >= _FEWEST_WORDS:
        return " "
    return best


def _quoted_names(lines: list[str], separator: str) -> tuple[list[str], int]:
    """The names, and the number of lines that they take.

    Names may have line breaks. A quote that is never closed is no reason to take the rows below
    for one: none of them has as many values as there are names.
    """
    reader = csv.reader([line + "\n" for line in lines], delimiter=separator, strict=True)
    try:
        names = next(reader)
    except csv.Error:
        names = []
    used = reader.line_num
    if names and all(line.count(separator) + 1 < len(names) for line in lines[1:used]):
        return names, used
    return next(csv.reader(lines[:1], delimiter=separator)), 1
