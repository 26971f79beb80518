"""Sequence files of the research benchmarks: `user item1 item2 …`, order instead of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from components.behavior_example_gen.reading.raw_batch import LINE, RawBatch, Rejected
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.reading.text_blocks import TextBlock, read_blocks


def read_sequences(source: Source) -> Iterator[RawBatch]:
    """Yields one row per item; its timestamp is its place in the line, so that every event is an
    instant of its own.

    Raises:
        DataError: the file is not text in its encoding.
    """
    for block in read_blocks(source.path, source.encoding):
        yield _batch(block)


def _batch(block: TextBlock) -> RawBatch:
    lines = block.lines()

    def content(wanted: Sequence[int]) -> list[str]:
        return [lines[line - block.first_line].decode("utf-8", "replace") for line in wanted]

    rejected: list[Rejected] = []
    numbers: list[int] = []
    sequences: list[str] = []
    for number, line in enumerate(lines, block.first_line):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            rejected.append(Rejected(number, "bad_encoding", line.decode("utf-8", "replace")))
            continue
        if "\x00" in text:
            rejected.append(Rejected(number, "unreadable", text))
        elif len(text.split(None, 1)) > 1:
            numbers.append(number)
            sequences.append(text)
        elif text.strip():
            rejected.append(Rejected(number, "unreadable", text))
    words = pl.Series("words", sequences, pl.String).str.extract_all(r"\S+")
    frame = (
        pl.DataFrame({LINE: pl.Series(numbers, dtype=pl.Int64), "words": words})
        .select(
            pl.col("words").list.first().alias("user_id"),
            pl.col("words").list.slice(1).alias("item_id"),
            pl.int_ranges(pl.col("words").list.len() - 1).alias("timestamp"),
            pl.col(LINE),
        )
        .explode("item_id", "timestamp")
        .with_columns(pl.col("timestamp").cast(pl.String))
    )
    return RawBatch(frame, rejected, content)
