"""The file of rows that could not be used: `file,line,reason,content`."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from components.behavior_example_gen.files import open_reading, open_writing
from components.behavior_example_gen.reading.raw_batch import Rejected

NAME = "quarantine.csv"
_HEADER = ("file", "line", "reason", "content")
_LONGEST_CONTENT = 2_000
# A spreadsheet runs a cell that begins with one of these signs, also in their wide forms and behind
# spaces (OWASP, "CSV Injection"). A cell begins with the content; and inside it, where a program
# that separates columns by semicolons or tabs sees new columns and rows.
_FORMULA = re.compile(r'(^|[;\t\r\n])([ "]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])')
_CHUNK = 1 << 22


class QuarantineWriter:
    """Appends the rejected rows of one file to its part."""

    def __init__(self, path: str, file: str) -> None:
        self._file = file
        self._stream = open_writing(path)

    def write(self, rejected: Sequence[Rejected]) -> None:
        """Appends rows, by line.

        Long contents are cut. What a spreadsheet would take for a formula gets a `'` before its
        first sign, and a zero byte, which many programs cannot read, is written as ␀. The line
        number tells the row, whatever has become of its content.
        """
        self._stream.write(
            _csv_bytes(
                (_harmless(self._file), row.line, row.reason, _harmless(row.content))
                for row in sorted(rejected, key=lambda row: row.line)
            )
        )

    def close(self) -> None:
        """Ends the part."""
        self._stream.close()


def merge(parts: Sequence[str], path: str) -> None:
    """Writes the header and all parts into one file."""
    with open_writing(path) as out:
        out.write(_csv_bytes([_HEADER]))
        for part in parts:
            with open_reading(part) as stream:
                while chunk := stream.read(_CHUNK):
                    out.write(chunk)


def _harmless(text: str) -> str:
    return _FORMULA.sub(r"\1\2'", text[:_LONGEST_CONTENT].replace("\x00", "␀"))


def _csv_bytes(rows: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode("utf-8", "replace")
