"""JSON Lines: blocks parsed by polars; one that polars refuses is read in Python, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from components.behavior_example_gen.reading.raw_batch import LINE, RawBatch, Rejected, joined
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.reading.text_blocks import TextBlock, read_blocks

# Some thousand brackets inside each other overflow the stack of polars, and end the process.
_BRACKETS_FOR_POLARS = 400


def read_jsonl(source: Source) -> Iterator[RawBatch]:
    """Yields the rows of a JSON Lines file, all values as text; missing keys are null.

    Objects and lists become JSON text. Of a key that occurs twice in a line, the first counts.

    Raises:
        DataError: the file is not text in its encoding.
    """
    keys = sorted({name for names in source.columns.values() for name in names})
    for block in read_blocks(source.path, source.encoding):
        yield _batch(block, pl.Schema(dict.fromkeys(keys, pl.String)), source)


def _batch(block: TextBlock, schema: pl.Schema, source: Source) -> RawBatch:
    lines = block.lines()
    filled = [index for index, line in enumerate(lines) if line.strip()]
    nested = set(_nested(block, lines))
    numbers = [index for index in filled if index not in nested] if nested else filled
    frame = _parse([lines[index] for index in numbers], schema)
    rejected: list[Rejected] = []
    if frame is None:
        frame, numbers, rejected = _parse_in_python(block, lines, filled, schema)
    elif nested:
        others, more, rejected = _parse_in_python(block, lines, sorted(nested), schema)
        frame, numbers = pl.concat([frame, others]), numbers + more
    frame = frame.select(
        *(
            joined([pl.col(name) for name in names]).alias(role)
            for role, names in source.columns.items()
        ),
        (pl.Series(LINE, numbers, pl.Int64) + block.first_line),
    )

    def content(wanted: Sequence[int]) -> list[str]:
        return [lines[line - block.first_line].decode("utf-8", "replace") for line in wanted]

    return RawBatch(frame.sort(LINE) if nested else frame, rejected, content)


def _nested(block: TextBlock, lines: Sequence[bytes]) -> list[int]:
    """Lines that may be nested too deep for polars."""
    if _brackets(block.data) <= len(lines) + _BRACKETS_FOR_POLARS:
        return []
    return [index for index, line in enumerate(lines) if _brackets(line) > _BRACKETS_FOR_POLARS]


def _brackets(data: bytes) -> int:
    return data.count(b"[") + data.count(b"{")


def _parse(lines: Sequence[bytes], schema: pl.Schema) -> pl.DataFrame | None:
    """All lines at once; None if one of them is broken."""
    if not lines:
        return pl.DataFrame(schema=schema)
    try:
        frame = pl.read_ndjson(b"\n".join(lines), schema=schema)
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == len(lines) else None


def _parse_in_python(
    block: TextBlock, lines: Sequence[bytes], wanted: Sequence[int], schema: pl.Schema
) -> tuple[pl.DataFrame, list[int], list[Rejected]]:
    """The slow way: the rows of the lines wanted, their positions, and the lines that are none."""
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    rejected: list[Rejected] = []
    for index in wanted:
        row = _row(lines[index], schema.names())
        if isinstance(row, str):
            text = lines[index].decode("utf-8", "replace")
            rejected.append(Rejected(block.first_line + index, row, text))
        else:
            rows.append(row)
            numbers.append(index)
    return pl.DataFrame(rows, schema=schema, orient="row"), numbers, rejected


def _row(line: bytes, keys: Sequence[str]) -> list[str | None] | str:
    """The values of a line, or the reason why it has none."""
    try:
        value = json.loads(line.decode(), object_pairs_hook=_first_of_each)
        if not isinstance(value, dict):
            return "unreadable"
        row = [_text(value.get(key)) for key in keys]
        # JSON can name halves of characters, which no text can have.
        "".join(filter(None, row)).encode()
    except UnicodeError:
        return "bad_encoding"
    except (ValueError, RecursionError):
        return "unreadable"
    return row


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
