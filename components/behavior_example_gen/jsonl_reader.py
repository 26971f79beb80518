"""JSON Lines: blocks parsed by polars; one with a broken line is searched in Python."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import polars as pl

from components.behavior_example_gen.batches import LINE, Batch, Rejected, joined
from components.behavior_example_gen.sources import Source
from components.behavior_example_gen.text_blocks import read_blocks


def read_jsonl(source: Source) -> Iterator[Batch]:
    """Yields the rows of a JSON Lines file, all values as text; missing keys are null.

    Raises:
        DataError: the file is not text in its encoding.
    """
    keys = sorted({name for names in source.columns.values() for name in names})
    schema = pl.Schema(dict.fromkeys(keys, pl.String))
    for block in read_blocks(source.path, source.encoding):
        lines = block.lines()
        numbers = [index for index, line in enumerate(lines) if line.strip()]
        rejected: list[Rejected] = []
        frame = _parse([lines[index] for index in numbers], schema)
        if frame is None:
            good = []
            for index in numbers:
                reason = _fault(lines[index])
                if reason is None:
                    good.append(index)
                else:
                    text = lines[index].decode("utf-8", "replace")
                    rejected.append(Rejected(block.first_line + index, reason, text))
            numbers = good
            frame = _parse([lines[index] for index in numbers], schema)
        if frame is None:
            frame = _parse_in_python([lines[index] for index in numbers], schema)
        frame = frame.select(
            *(
                joined([pl.col(name) for name in names]).alias(role)
                for role, names in source.columns.items()
            ),
            (pl.Series(LINE, numbers, pl.Int64) + block.first_line),
        )

        def content(
            wanted: Sequence[int], lines: list[bytes] = lines, first: int = block.first_line
        ) -> list[str]:
            return [lines[line - first].decode("utf-8", "replace") for line in wanted]

        yield Batch(frame, rejected, content)


def _parse(lines: Sequence[bytes], schema: pl.Schema) -> pl.DataFrame | None:
    """All lines at once; None if one of them is broken."""
    if not lines:
        return pl.DataFrame(schema=schema)
    try:
        frame = pl.read_ndjson(b"\n".join(lines), schema=schema)
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == len(lines) else None


def _parse_in_python(lines: Sequence[bytes], schema: pl.Schema) -> pl.DataFrame:
    """The slow way, for valid JSON that polars cannot take."""
    rows = [json.loads(line) for line in lines]
    return pl.DataFrame(
        {name: [_text(row.get(name)) for row in rows] for name in schema.names()}, schema=schema
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _fault(line: bytes) -> str | None:
    """Why a line is no event, or None."""
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError:
        return "bad_encoding"
    except ValueError:
        return "unreadable"
    return None if isinstance(value, dict) else "unreadable"
