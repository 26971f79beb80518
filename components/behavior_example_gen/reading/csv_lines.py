"""Lines of a CSV file around a stray quote, read one by one.

A quote that is never closed swallows the lines up to the next quote. Whether a record of several
lines is a value with line breaks or lines that were swallowed is told by the lines: they were
swallowed if one between the first and the last is a row of its own, or both of these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fields:
    """The values of a record."""

    values: list[bytes]
    loose: frozenset[int]
    """Values that begin with a quote but do not end with one."""
    opened: int | None
    """Where in the text a quote opens that is never closed."""


@dataclass(frozen=True)
class LineRecord:
    """What stands at a line."""

    end: int
    """Index of the first line after it."""
    values: list[bytes] | None
    """None: it cannot be read."""


class LineReader:
    """Reads single lines of a file.

    A value is quoted if it begins with a quote and ends with one, inner ones doubled. Any other
    quote is an ordinary character.
    """

    def __init__(self, width: int, separator: str, keys: Sequence[int], judged: int) -> None:
        """Sets the form of a row.

        Args:
            width: number of columns.
            separator: between them, one byte.
            keys: positions of ids and times. A row with a line break or a stray quote there
                cannot be used.
            judged: position of the time or, in a file without times, of the item id.
        """
        self._width = width
        self._separator = separator.encode()
        self.keys = keys
        self.judged = judged
        self._known: set[frozenset[str]] = set()
        inside = rb'"([^"]*(?:""[^"]*)*)'
        self._quoted = re.compile(inside + rb'"(%s|\Z)' % re.escape(self._separator))
        self._unclosed = re.compile(inside + rb"\Z")

    def learn(self, values: Iterable[bytes]) -> None:
        """Takes values that are surely of the judged column: a row of its own has one like them."""
        self._known.update(_kinds(value) for value in values)

    def fields(self, text: bytes) -> Fields:
        """Cuts the text of a record, which may have several lines."""
        if b'"' not in text:
            return Fields(text.split(self._separator), frozenset(), None)
        values: list[bytes] = []
        loose = set()
        opened = None
        start = 0
        while True:
            quoted = self._quoted.match(text, start)
            if quoted:
                values.append(quoted[1].replace(b'""', b'"'))
                last, start = not quoted[2], quoted.end()
            else:
                end = text.find(self._separator, start)
                last = end < 0
                value = text[start:] if last else text[start:end]
                if value.startswith(b'"'):
                    loose.add(len(values))
                    if opened is None and self._unclosed.match(text, start):
                        opened = start
                values.append(value)
                start = end + 1
            if last:
                return Fields(values, frozenset(loose), opened)

    def swallowed(self, lines: Sequence[bytes]) -> bool:
        """Whether the lines of one record are rows that a stray quote made one."""
        first, *between, last = lines
        return any(map(self._is_alone, between)) or (self._is_alone(first) and self._is_alone(last))

    def record(self, lines: Sequence[bytes], first: int, complete: bool) -> LineRecord | None:
        """The record that begins at a line.

        Args:
            lines: of a block.
            first: index of the record's first line.
            complete: nothing follows the block.

        Returns:
            None if its quote may be closed after the block.
        """
        fields = self.fields(lines[first])
        if fields.opened is not None:
            quotes = lines[first].count(b'"', fields.opened)
            for end in range(first + 1, len(lines)):
                line = lines[end]
                quotes += line.count(b'"')
                if quotes % 2 == 0:
                    several = lines[first : end + 1]
                    closed = self.fields(b"\n".join(several))
                    if closed.opened is None:
                        if self._is_row(closed) and not self.swallowed(several):
                            return LineRecord(end + 1, closed.values)
                        break
                if self._is_alone(line):
                    break
            else:
                if not complete:
                    return None
        return LineRecord(first + 1, fields.values if self._is_row(fields) else None)

    def _is_alone(self, line: bytes) -> bool:
        """Whether a line is a row of its own; without known values, anything is taken for one."""
        if line.count(self._separator) < self._width - 1:
            return False
        fields = self.fields(line)
        if not self._is_row(fields) or not all(fields.values[key].strip() for key in self.keys):
            return False
        kinds = _kinds(fields.values[self.judged])
        return kinds in self._known if self._known else bool(kinds)

    def _is_row(self, fields: Fields) -> bool:
        return len(fields.values) == self._width and not any(
            key in fields.loose or b"\n" in fields.values[key] for key in self.keys
        )


def _kinds(value: bytes) -> frozenset[str]:
    """The kinds of characters of a value: digits, letters, and every other sign."""
    text = value.decode("utf-8", "replace").strip()
    return frozenset("0" if c.isdigit() else "a" if c.isalpha() else c for c in text)
