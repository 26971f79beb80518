"""Counts by key, summed over partitions as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import apache_beam as beam
import polars as pl

from components.behavior_example_gen.arrow_files import from_bytes, to_bytes

_PARTS_HELD = 8


class SumCounts(beam.CombineFn):
    """Combines tables (bytes) with text keys and a `count` into one table (bytes), sorted."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)

    def create_accumulator(self) -> list[bytes]:
        """Tables not yet summed."""
        return []

    def add_input(self, accumulator: list[bytes], element: bytes) -> list[bytes]:
        """Adds a table."""
        accumulator.append(element)
        return [self._sum(accumulator)] if len(accumulator) > _PARTS_HELD else accumulator

    def merge_accumulators(self, accumulators: Iterable[list[bytes]]) -> list[bytes]:
        """Joins the lists of several workers."""
        return [self._sum([part for parts in accumulators for part in parts])]

    def extract_output(self, accumulator: list[bytes]) -> bytes:
        """The sum."""
        return self._sum(accumulator)

    def _sum(self, parts: Sequence[bytes]) -> bytes:
        schema = pl.Schema({**dict.fromkeys(self._keys, pl.String), "count": pl.Int64})
        tables = [schema.to_frame()]
        for part in parts:
            tables.append(
                from_bytes(part).select(pl.col(name).cast(kind) for name, kind in schema.items())
            )
        return to_bytes(
            pl.concat(tables).group_by(self._keys).agg(pl.sum("count")).sort(self._keys)
        )
