"""CSV files: parsed in blocks by Arrow; broken lines are singled out with their number."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as pacsv

from components.behavior_example_gen.batches import LINE, Batch, Rejected, joined
from components.behavior_example_gen.sources import Source
from components.behavior_example_gen.text_blocks import TextBlock, read_blocks

_KEYS = ("user_id", "item_id", "timestamp")


def read_csv(source: Source) -> Iterator[Batch]:
    """Yields the rows of a CSV file, all columns as text.

    Raises:
        DataError: the file is not text in its encoding.
    """
    for block in read_blocks(source.path, source.encoding, quoted=True):
        if block.first_line == 1:
            block = _without_lines(block, source.header_lines)
        if block.data:
            yield _CsvBlock(source, block).batch()


class _CsvBlock:
    """Parses one block. Columns are addressed by position: headers may repeat a name."""

    def __init__(self, source: Source, block: TextBlock) -> None:
        self._width = len(source.header)
        self._separator = source.separator
        self._roles = {
            role: [str(source.header.index(name)) for name in names]
            for role, names in source.columns.items()
        }
        self._block = block
        self._lines: list[bytes] | None = None
        self._broken: list[pacsv.InvalidRow] = []
        self._rejected: list[Rejected] = []

    def batch(self) -> Batch:
        used = sorted({position for positions in self._roles.values() for position in positions})
        table = self._parse(self._block.data, used)
        records = table.num_rows + len(self._broken)
        breaks = self._block.data.count(b"\n") + (not self._block.data.endswith(b"\n"))
        if records == breaks:
            starts = np.arange(records) + self._block.first_line
            numbers = np.array([row.number - 1 for row in self._broken], np.int64)
            lines = np.delete(starts, numbers)
            for number, row in zip(numbers, self._broken, strict=True):
                self._reject(int(starts[number]), row.text)
        else:
            table, lines = self._parse_again(used)
        frame = self._as_text(table, lines)
        return Batch(frame, self._rejected, self._content)

    def _parse(self, data: bytes, used: Sequence[str]) -> pa.Table:
        """Arrow table of the given columns, binary; broken rows go to `_broken`."""
        self._broken = []

        def skip(row: pacsv.InvalidRow) -> str:
            self._broken.append(row)
            return "skip"

        return pacsv.read_csv(
            pa.py_buffer(data),
            # One thread: only then do broken rows come with their number.
            read_options=pacsv.ReadOptions(
                column_names=[str(position) for position in range(self._width)],
                use_threads=False,
                block_size=len(data) + 1,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._separator,
                newlines_in_values=True,
                invalid_row_handler=skip,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(used, pa.binary()),
                include_columns=list(used),
                strings_can_be_null=False,
            ),
        )

    def _parse_again(self, used: Sequence[str]) -> tuple[pa.Table, npt.NDArray[np.int64]]:
        """Parses a block in which records span lines, and finds each record's first line.

        A stray quote swallows the lines up to the next one; so a record over several lines that
        is broken, or has a line break in a key, is read again line by line.
        """
        table = self._parse(self._block.data, [str(index) for index in range(self._width)])
        breaks = np.sum([_line_breaks(column) for column in table.columns], axis=0)
        broken = np.array([row.number - 1 for row in self._broken], np.int64)
        spans = np.empty(table.num_rows + len(broken), np.int64)
        whole = np.delete(np.arange(len(spans)), broken)
        spans[whole] = breaks + 1
        spans[broken] = [row.text.count("\n") + 1 for row in self._broken]
        starts = self._block.first_line + np.concatenate([[0], np.cumsum(spans)[:-1]])
        keys = [position for role in _KEYS for position in self._roles.get(role, [])]
        torn = np.zeros(table.num_rows, bool)
        for position in keys:
            torn |= _line_breaks(table.column(position)) > 0
        retried: list[list[str]] = []
        retried_lines: list[int] = []
        for record in np.sort(np.concatenate([broken, whole[torn]])):
            first = int(starts[record])
            for line in range(first, first + int(spans[record])):
                [text] = self._content([line])
                fields = _fields(text, self._separator)
                if fields is not None and len(fields) == self._width:
                    retried.append(fields)
                    retried_lines.append(line)
                else:
                    self._reject(line, text)
        kept = table.filter(pa.array(~torn)).select(list(used))
        extra = pa.table(
            {
                position: pa.array([row[int(position)].encode() for row in retried], pa.binary())
                for position in used
            }
        )
        lines = np.concatenate([starts[whole[~torn]], np.array(retried_lines, np.int64)])
        order = np.argsort(lines, kind="stable")
        return pa.concat_tables([kept, extra]).take(pa.array(order)), lines[order]

    def _as_text(self, table: pa.Table, lines: npt.NDArray[np.int64]) -> pl.DataFrame:
        """Decodes the columns; rows with bytes that are not UTF-8 are rejected."""
        text: dict[str, pl.Series] = {}
        wrong = np.zeros(table.num_rows, bool)
        for name in table.column_names:
            column = table.column(name)
            try:
                decoded = column.cast(pa.large_string())
            except pa.ArrowInvalid:
                valid = np.array([_is_utf8(value.as_py()) for value in column])
                wrong |= ~valid
                empty = pa.scalar(b"", pa.binary())
                decoded = pa.compute.if_else(pa.array(valid), column, empty).cast(pa.large_string())
            text[name] = pl.Series(name, decoded)
        frame = pl.DataFrame(text).select(
            *(
                joined([pl.col(position) for position in positions]).alias(role)
                for role, positions in self._roles.items()
            ),
            pl.Series(LINE, lines),
        )
        blank = frame.filter(pl.all_horizontal(pl.exclude(LINE).str.len_bytes() == 0))[LINE]
        if wrong.any():
            for line in lines[wrong]:
                self._reject(int(line), self._content([int(line)])[0], "bad_encoding")
            frame = frame.filter(pl.Series(~wrong))
        if len(blank):
            contents = self._content(blank.to_list())
            empty_lines = [
                line for line, content in zip(blank, contents, strict=True) if not content.strip()
            ]
            frame = frame.filter(~pl.col(LINE).is_in(empty_lines))
        return frame

    def _reject(self, line: int, content: str, reason: str = "unreadable") -> None:
        if content.strip():
            self._rejected.append(Rejected(line, reason, content))

    def _content(self, lines: Sequence[int]) -> list[str]:
        if self._lines is None:
            self._lines = self._block.lines()
        first = self._block.first_line
        return [self._lines[line - first].decode("utf-8", "replace") for line in lines]


def _without_lines(block: TextBlock, count: int) -> TextBlock:
    """Leaves the header (and blank lines above it) out."""
    start = 0
    for _ in range(count):
        end = block.data.find(b"\n", start)
        start = len(block.data) if end < 0 else end + 1
    return TextBlock(block.data[start:], block.first_line + count)


def _line_breaks(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Line breaks inside each value of a binary column."""
    counts = pa.compute.count_substring(column, b"\n")
    return counts.to_numpy().astype(np.int64)


def _fields(line: str, separator: str) -> list[str] | None:
    """The values of one line, or None if its quotes are broken."""
    try:
        [fields] = csv.reader([line], delimiter=separator, strict=True)
    except (csv.Error, ValueError):
        return None
    return fields


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
