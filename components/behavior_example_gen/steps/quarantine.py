"""The file of rows that could not be used: `file,line,reason,content`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from components.behavior_example_gen.files import open_reading, open_writing
from components.behavior_example_gen.reading.raw_batch import Rejected

NAME = "quarantine.csv"
_HEADER = ("file", "line", "reason", "content")
_LONGEST_CONTENT = 2_000
# A spreadsheet takes text that begins like this for a formula, and runs it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_CHUNK = 1 << 22


class QuarantineWriter:
    """Appends the rejected rows of one file to its part."""

    def __init__(self, path: str, file: str) -> None:
        self._file = file
        self._stream = open_writing(path)

    def write(self, rejected: Sequence[Rejected]) -> None:
        """Appends rows, by line.

        Long contents are cut; what a spreadsheet would take for a formula begins with `'`, and a
        zero byte, which many programs cannot read, is written as ␀.
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
    text = text[:_LONGEST_CONTENT].replace("\x00", "␀")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def _csv_bytes(rows: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode("utf-8", "replace")
