"""Parquet files: record batches with their own types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from components.behavior_example_gen.batches import LINE, Batch, joined
from components.behavior_example_gen.errors import DataError
from components.behavior_example_gen.files import open_reading
from components.behavior_example_gen.sources import Source

_ROWS = 400_000


def read_parquet(source: Source) -> Iterator[Batch]:
    """Yields the rows of a Parquet file; `line` is the row number.

    Raises:
        DataError: the file breaks off.
    """
    names = list(dict.fromkeys(name for part in source.columns.values() for name in part))
    first = 1
    try:
        with open_reading(source.path) as stream:
            parquet = pq.ParquetFile(stream)
            for batch in parquet.iter_batches(batch_size=_ROWS, columns=names):
                rows = pl.from_arrow(pa.Table.from_batches([batch]))
                assert isinstance(rows, pl.DataFrame)
                yield _batch(rows, source, first)
                first += rows.height
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{source.path}: row {first} and later cannot be read ({error})") from None


def _batch(rows: pl.DataFrame, source: Source, first: int) -> Batch:
    frame = rows.select(
        *(
            (
                pl.col(names[0])
                if len(names) == 1
                else joined([_text(rows[name]) for name in names])
            ).alias(role)
            for role, names in source.columns.items()
        ),
        pl.int_range(first, first + rows.height, dtype=pl.Int64).alias(LINE),
    )

    def content(lines: Sequence[int]) -> list[str]:
        wanted = rows[[line - first for line in lines]]
        return [json.dumps(row, default=str, ensure_ascii=False) for row in wanted.to_dicts()]

    return Batch(frame, [], content)


def _text(column: pl.Series) -> pl.Expr:
    return pl.col(column.name).cast(pl.String)
