"""Files as a stream of batches of rows, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

LINE = "line"
"""Column of a batch: the 1-based line (Parquet: row) of its file."""


@dataclass(frozen=True)
class Rejected:
    """A row that cannot be used."""

    line: int
    reason: str
    content: str


@dataclass(frozen=True)
class Batch:
    """Some hundred thousand rows of one file."""

    frame: pl.DataFrame
    """Columns by our names, as text unless the file is typed, and `line`, ascending."""
    rejected: list[Rejected]
    """Rows that are not even rows."""
    content: Callable[[Sequence[int]], list[str]]
    """What the file has in the given lines."""


def joined(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Text of several columns as one, parts that are empty left out."""
    if len(parts) == 1:
        return parts[0]
    filled = [pl.when(part.str.len_bytes() > 0).then(part) for part in parts]
    return pl.concat_str(filled, separator=" / ", ignore_nulls=True)
