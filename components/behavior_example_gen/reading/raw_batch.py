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
class RawBatch:
    """Some hundred thousand rows of one file."""

    frame: pl.DataFrame
    """Columns by our names, as text unless the file is typed, and `line`, ascending."""
    rejected: list[Rejected]
    """Rows that are not even rows."""
    content: Callable[[Sequence[int]], list[str]]
    """What the file has in the given lines."""
    swallowed: Sequence[int] = ()
    """Lines that a stray quote had made a part of another row; they are rows of `frame`."""

    def without(self, sign: str, reason: str) -> RawBatch:
        """Rejects the rows that have a sign in any value."""
        text = [name for name, kind in self.frame.schema.items() if kind == pl.String]
        if not text:
            return self
        signs = pl.any_horizontal(pl.col(text).str.contains(sign, literal=True))
        found = self.frame.select(signs.fill_null(False)).to_series()
        lines = self.frame[LINE].filter(found).to_list()
        if not lines:
            return self
        rejected = [
            Rejected(line, reason, content)
            for line, content in zip(lines, self.content(lines), strict=True)
        ]
        return RawBatch(
            self.frame.filter(~found), [*self.rejected, *rejected], self.content, self.swallowed
        )


def swallowed_note(name: str, count: int, first: int) -> str:
    """What to say of a file in which stray quotes had swallowed lines."""
    return (
        f"{name}: {count:,} lines, the first of them line {first:,}, stood between double quotes "
        "that are no pair; they are read as rows of their own (if quotes are ordinary characters "
        "in this file, set data.quoting=none)"
    )


def joined(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Text of several columns as one, parts that are empty left out."""
    if len(parts) == 1:
        return parts[0]
    filled = [pl.when(part.str.len_bytes() > 0).then(part) for part in parts]
    return pl.concat_str(filled, separator=" / ", ignore_nulls=True)
