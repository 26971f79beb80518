"""CSV files: parsed in blocks by Arrow; what it cannot read is read line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as pacsv

from components.behavior_example_gen.reading.csv_lines import LineReader, LineRecord
from components.behavior_example_gen.reading.raw_batch import LINE, RawBatch, Rejected, joined
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.reading.text_blocks import (
    BLOCK_BYTES,
    LONGEST_RECORD,
    TextBlock,
    read_blocks,
)

_KEYS = ("user_id", "item_id", "timestamp")
# Value of a row added after a block: without it, a quote is open where the block ends.
_END = b"\x00"
# A noncharacter, in place of bytes that are not UTF-8.
_WRONG = "\ufdd0"
_VALUES_LEARNT = 10_000


def read_csv(source: Source, block_bytes: int = BLOCK_BYTES) -> Iterator[RawBatch]:
    """Yields the rows of a CSV file, all columns as text.

    Raises:
        DataError: the file is not text in its encoding.
    """
    keys = [source.header.index(name) for role in _KEYS for name in source.columns.get(role, ())]
    judged = source.columns.get("timestamp", source.columns["item_id"])[0]
    reader = LineReader(len(source.header), source.separator, keys, source.header.index(judged))
    waiting: TextBlock | None = None
    for block in read_blocks(source.path, source.encoding, block_bytes):
        if block.first_line == 1:
            block = _without_lines(block, source.header_lines)
        if waiting is not None:
            block = TextBlock(waiting.data + block.data, waiting.first_line)
        if block.data:
            parsed = _CsvBlock(source, reader, block, len(block.data) > LONGEST_RECORD)
            yield parsed.batch()
            waiting = parsed.waiting
    if waiting is not None:
        yield _CsvBlock(source, reader, waiting, complete=True).batch()


@dataclass(frozen=True)
class _Parsed:
    """What Arrow makes of a block. Records are numbered from 0, broken ones too."""

    table: pa.Table
    """The records that are whole, as bytes; columns are named by their position."""
    broken: dict[int, int]
    """Line breaks inside each record that has too few or too many values."""
    open_end: bool
    """The last record has a quote that is open where the block ends."""

    @property
    def records(self) -> int:
        return self.table.num_rows + len(self.broken)

    @property
    def whole(self) -> npt.NDArray[np.int64]:
        """The number of each record of the table."""
        return np.delete(np.arange(self.records), list(self.broken))


class _CsvBlock:
    """Reads one block. Columns are addressed by position: headers may repeat a name."""

    def __init__(
        self, source: Source, reader: LineReader, block: TextBlock, complete: bool
    ) -> None:
        """Reads nothing yet.

        Args:
            source: the file.
            reader: of its single lines.
            block: a part of it.
            complete: nothing follows that could close a quote.
        """
        self.waiting: TextBlock | None = None
        """After `batch`: lines at the end whose record may go on in the next block."""
        self._source = source
        self._roles = {
            role: [str(source.header.index(name)) for name in names]
            for role, names in source.columns.items()
        }
        self._used = sorted({position for part in self._roles.values() for position in part})
        self._reader = reader
        self._block = block
        self._complete = complete
        self._lines: list[bytes] | None = None
        self._rejected: list[Rejected] = []
        self._swallowed: list[int] = []

    def batch(self) -> RawBatch:
        """Reads the block."""
        data = self._block.data if self._block.data.endswith(b"\n") else self._block.data + b"\n"
        if _is_utf8(data):
            return self._batch(data)
        # Arrow hands out broken rows as text only.
        text = re.sub("[\udc80-\udcff]+", _WRONG, data.decode("utf-8", "surrogateescape"))
        return self._batch(text.encode()).without(_WRONG, "bad_encoding")

    def _batch(self, data: bytes) -> RawBatch:
        frame = self._frame(data)
        return RawBatch(frame, self._rejected, self._content, self._swallowed)

    def _frame(self, data: bytes) -> pl.DataFrame:
        """The rows; those that cannot be read are rejected."""
        parsed = self._parse(data, self._used)
        lines = data.count(b"\n")
        if parsed.records == lines and not parsed.open_end:
            starts = np.arange(lines)
            doubtful = np.array(list(parsed.broken), np.int64)
        else:
            parsed = self._parse(data, [str(position) for position in range(self._width)])
            starts, doubtful = self._spanning(parsed, data)
        table = parsed.table.select(self._used)
        numbers = starts[parsed.whole]
        if len(doubtful):
            read, rows, row_numbers = self._read_lines(data, starts, starts[doubtful])
            extra = pa.table(
                {
                    name: pa.array([row[int(name)] for row in rows], pa.binary())
                    for name in self._used
                }
            )
            kept = ~read[numbers]
            table = pa.concat_tables([table.filter(pa.array(kept)), extra])
            numbers = np.concatenate([numbers[kept], np.array(row_numbers, np.int64)])
            order = np.argsort(numbers, kind="stable")
            table, numbers = table.take(pa.array(order)), numbers[order]
        return self._as_text(table, numbers + self._block.first_line)

    @property
    def _width(self) -> int:
        return len(self._source.header)

    def _parse(self, data: bytes, columns: Sequence[str]) -> _Parsed:
        """Parses whole lines."""
        quoted = self._source.quoted and b'"' in data
        if quoted:
            data += self._source.separator.encode().join([_END] * self._width) + b"\n"
        broken: dict[int, int] = {}

        def skip(row: pacsv.InvalidRow) -> str:
            broken[row.number - 1] = row.text.count("\n")
            return "skip"

        # Not read_csv, which on Python 3.10 looks through all objects of the process.
        reader = pacsv.open_csv(
            pa.py_buffer(data),
            # One thread: only then do broken rows come with their number.
            read_options=pacsv.ReadOptions(
                column_names=[str(position) for position in range(self._width)],
                use_threads=False,
                block_size=len(data) + 1,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._source.separator,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                invalid_row_handler=skip,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.binary()),
                include_columns=list(columns),
                strings_can_be_null=False,
            ),
        )
        table = reader.read_all()
        if not quoted:
            return _Parsed(table, broken, open_end=False)
        last = table.num_rows - 1
        records = table.num_rows + len(broken)
        if records - 1 in broken or table.column(0)[last].as_py() != _END:
            return _Parsed(table, broken, open_end=True)
        return _Parsed(table.slice(0, last), broken, open_end=False)

    def _spanning(
        self, parsed: _Parsed, data: bytes
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Looks at a block in which records span lines.

        Returns:
            The first line of each record, and the records that are broken or may be several that
            a stray quote made one.
        """
        breaks = np.zeros(parsed.records, np.int64)
        breaks[list(parsed.broken)] = list(parsed.broken.values())
        breaks[parsed.whole] = np.sum([_line_breaks(c) for c in parsed.table.columns], axis=0)
        starts = np.concatenate([[0], np.cumsum(breaks + 1)[:-1]])
        judged = parsed.table.column(self._reader.judged)
        sure = judged.filter(pa.array(_line_breaks(judged) == 0))
        step = max(1, len(sure) // _VALUES_LEARNT)
        self._reader.learn(sure.take(pa.array(np.arange(0, len(sure), step))).to_pylist())
        lines = data.removesuffix(b"\n").split(b"\n")
        in_key = np.zeros(parsed.records, bool)
        for position in self._reader.keys:
            in_key[parsed.whole] |= _line_breaks(parsed.table.column(position)) > 0
        doubtful = set(parsed.broken)
        if parsed.open_end:
            doubtful.add(parsed.records - 1)
        for record in np.flatnonzero(breaks).tolist():
            if record not in doubtful:
                start = starts[record]
                if in_key[record] or self._reader.swallowed(
                    lines[start : start + breaks[record] + 1]
                ):
                    doubtful.add(record)
        return starts, np.array(sorted(doubtful), np.int64)

    def _read_lines(
        self, data: bytes, starts: npt.NDArray[np.int64], doubtful: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.bool_], list[list[bytes]], list[int]]:
        """Reads lines one by one, from each doubtful start to the next start of a record.

        Args:
            data: of the block.
            starts: first line of each record that Arrow saw.
            doubtful: those that are read here, ascending.

        Returns:
            Which lines were read, the records that they hold, and the first line of each.
        """
        lines = data.removesuffix(b"\n").split(b"\n")
        begins = np.zeros(len(lines) + 1, bool)
        begins[starts] = begins[-1] = True
        read = np.zeros(len(lines), bool)
        rows: list[list[bytes]] = []
        numbers: list[int] = []
        line = 0
        for first in doubtful.tolist():
            if first < line:
                continue
            line = first
            while line == first or not begins[line]:
                record = self._record(lines, line)
                if record is None:
                    self._wait_from(line)
                    read[line:] = True
                    line = len(lines)
                    break
                number = self._block.first_line + line
                if record.values is None:
                    self._reject(number)
                else:
                    rows.append(record.values)
                    numbers.append(line)
                    if line > first:
                        self._swallowed.append(number)
                line = record.end
            read[first:line] = True
        return read, rows, numbers

    def _record(self, lines: Sequence[bytes], first: int) -> LineRecord | None:
        if not self._source.quoted:
            return LineRecord(first + 1, None)
        return self._reader.record(lines, first, self._complete)

    def _wait_from(self, line: int) -> None:
        end = b"\n" if self._block.data.endswith(b"\n") else b""
        data = b"\n".join(self._block.lines()[line:]) + end
        self.waiting = TextBlock(data, self._block.first_line + line)

    def _as_text(self, table: pa.Table, lines: npt.NDArray[np.int64]) -> pl.DataFrame:
        """Decodes the columns and leaves blank lines and repeated headers out."""
        text = pl.DataFrame(
            {name: pl.Series(table.column(name).cast(pa.large_string())) for name in self._used}
        )
        frame = text.select(
            *(
                joined([pl.col(position) for position in positions]).alias(role)
                for role, positions in self._roles.items()
            ),
            pl.Series(LINE, lines),
        )
        blank = frame.filter(pl.all_horizontal(pl.exclude(LINE).str.len_bytes() == 0))[LINE]
        if len(blank):
            contents = self._content(blank.to_list())
            empty = [line for line, text in zip(blank, contents, strict=True) if not text.strip()]
            frame = frame.filter(~pl.col(LINE).is_in(empty))
        # Files that were put together, each with its header.
        header = pl.all_horizontal(
            pl.col(role) == " / ".join(names) for role, names in self._source.columns.items()
        )
        for line in frame.filter(header)[LINE]:
            self._reject(line)
        return frame.filter(~header)

    def _reject(self, line: int) -> None:
        [content] = self._content([line])
        if content.strip():
            self._rejected.append(Rejected(line, "unreadable", content))

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


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(pa.array([data], pa.large_binary()).cast(pa.large_string()))
    except pa.ArrowInvalid:
        return False
