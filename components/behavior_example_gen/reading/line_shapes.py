"""What lines without column names look like: events, or sequences."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from trainer.epoch_units import EPOCH_UNITS, FINEST_UNIT

_LINES = 1_000
_FEWEST_LINES = 3
_MOST_EVENT_FIELDS = 12
_NEARLY_ALL = 0.95
_DATE = re.compile(
    r"(19|20)\d\d[-/.]?(0\d|1[0-2])[-/.]?([0-2]\d|3[01])([T ].*|\d{6})?|\d\d:\d\d:\d\d"
)
_NUMBER = re.compile(r"-?\d+([.,]\d+)?")
_EARLIEST = 631_152_000  # 1990
_DAY = 86_400
_UNITS = (*(unit for _, unit in EPOCH_UNITS), FINEST_UNIT)


def looks_like_data(names: Sequence[str]) -> bool:
    """Whether a line of column names may well be a line of data: a number or a time is in it."""
    return any(_NUMBER.fullmatch(name) or _is_time(name) for name in names)


def signs_of_events(text: bytes) -> list[str]:
    """Why lines read like events, not like `user item1 item2 …`; empty if they do not.

    Args:
        text: whole lines, the beginning of a file.
    """
    lines = [line.split() for line in text.decode("utf-8", "replace").split("\n") if line.strip()]
    lines = lines[:_LINES]
    signs = []
    lengths = [len(line) for line in lines]
    usual = max(set(lengths), key=lengths.count)
    if (
        len(lines) >= _FEWEST_LINES
        and usual <= _MOST_EVENT_FIELDS
        and lengths.count(usual) >= _NEARLY_ALL * len(lines)
    ):
        signs.append(f"each line has {usual} fields")
    users = len({line[0] for line in lines})
    if len(lines) >= _FEWEST_LINES and users <= len(lines) / 2:
        signs.append(f"the first {len(lines):,} lines have only {users:,} users")
    if (place := _place_of_times(lines)) is not None:
        signs.append(f"{place} looks like a time")
    return signs


def _place_of_times(lines: Sequence[Sequence[str]]) -> str | None:
    """The field that is a time on nearly every line, while most others are none."""
    times = [[_is_time(field) for field in line[1:]] for line in lines]
    every = sum(map(sum, times))
    fields = sum(map(len, times))
    places = {"the last field": [line[-1:] for line in times]}
    for place in range(_MOST_EVENT_FIELDS - 1):
        places[f"field {place + 2}"] = [line[place : place + 1] for line in times]
    for name, found in places.items():
        here = sum(map(sum, found))
        if here >= _NEARLY_ALL * len(lines) and (every - here) * 2 <= fields - here:
            return name
    return None


def _is_time(field: str) -> bool:
    if _DATE.fullmatch(field):
        return True
    if not re.fullmatch(r"\d{9,19}(\.\d+)?", field):
        return False
    number = float(field)
    return any(_EARLIEST <= number / unit <= time.time() + _DAY for unit in _UNITS)
