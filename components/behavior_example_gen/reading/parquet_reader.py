"""Parquet files: record batches with their own types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from components.behavior_example_gen.files import open_reading
from components.behavior_example_gen.reading.missing import MISSING
from components.behavior_example_gen.reading.plain_text import SEPARATOR, as_text
from components.behavior_example_gen.reading.raw_batch import LINE, RawBatch, Rejected, joined
from components.behavior_example_gen.reading.sources import Source
from trainer.errors import DataError

_ROWS = 400_000
_ONE_VALUE = ("user_id", "item_id", "timestamp", "price", "quantity")
"""Roles for which a list of values makes no sense."""


def read_parquet(source: Source) -> Iterator[RawBatch]:
    """Yields the rows of a Parquet file; `line` is the row number.

    Lists become text, joined by " / "; times with a zone become UTC.

    Raises:
        DataError: the file breaks off, or a column holds objects, or lists where one value is
            needed.
    """
    names = list(dict.fromkeys(name for part in source.columns.values() for name in part))
    first = 1
    try:
        with open_reading(source.path) as stream:
            parquet = pq.ParquetFile(stream, coerce_int96_timestamp_unit="us")
            for rows in parquet.iter_batches(batch_size=_ROWS, columns=names):
                columns = [
                    _column(rows.column(number), name, source)
                    for number, name in enumerate(rows.schema.names)
                ]
                yield _batch(columns, source, first)
                first += rows.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{source.path}: row {first} and later cannot be read ({error})") from None


@dataclass(frozen=True)
class _Column:
    """A source column in a type that cleaning knows."""

    values: pl.Series
    raw: pa.Array
    """As the file has it."""
    not_utf8: npt.NDArray[np.int64]
    """Positions of bytes that are no text; null in `values`."""


def _batch(columns: Sequence[_Column], source: Source, first: int) -> RawBatch:
    rows = pl.DataFrame([column.values for column in columns])
    frame = rows.select(
        *(
            (
                pl.col(names[0])
                if len(names) == 1
                else joined([pl.lit(as_text(rows[name])) for name in names])
            ).alias(role)
            for role, names in source.columns.items()
        ),
        pl.int_range(first, first + rows.height, dtype=pl.Int64).alias(LINE),
    )
    wrong: dict[int, str] = {}
    for column in columns:
        for row in column.not_utf8.tolist():
            wrong.setdefault(row, column.values.name)
    rejected = []
    for row, name in sorted(wrong.items()):
        shown = {column.values.name: _shown(column.raw[row]) for column in columns}
        text = f"column {name!r} is not UTF-8: {_json(shown)}"
        rejected.append(Rejected(first + row, "bad_encoding", text))
    if wrong:
        frame = frame.filter(~pl.col(LINE).is_in([first + row for row in wrong]))

    def content(lines: Sequence[int]) -> list[str]:
        return [_json(row) for row in rows[[line - first for line in lines]].to_dicts()]

    return RawBatch(frame, rejected, content)


def _column(raw: pa.Array, name: str, source: Source) -> _Column:
    array = raw
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    roles = [role for role, names in source.columns.items() if name in names]
    _check_type(array.type, name, roles, source)
    not_utf8 = np.empty(0, np.int64)
    if _is_list(array.type):
        values = _joined_lists(array)
    elif _is_text(array.type):
        array, not_utf8 = _decoded(array)
        values = pl.Series(array)
    else:
        values = pl.Series(_known_type(array))
    return _Column(values.alias(name), raw, not_utf8)


def _check_type(kind: pa.DataType, name: str, roles: Sequence[str], source: Source) -> None:
    """Refuses what is not one value a row.

    Raises:
        DataError: naming the column.
    """
    inner = kind.value_type if _is_list(kind) else kind
    if pa.types.is_dictionary(inner):
        inner = inner.value_type
    holds = None
    if pa.types.is_nested(inner):
        holds = "objects" if inner == kind else "lists of objects or lists"
    elif _is_list(kind) and set(roles) & set(_ONE_VALUE):
        holds = "lists"
    if holds:
        raise DataError(
            f"{source.path}: column {name!r} holds {holds} ({str(kind)[:100]}), but "
            f"{' and '.join(roles)} must be one plain value in each row. Write what is meant into "
            "a column of its own, a list as a row for each of its values; or map another column"
        )


def _is_list(kind: pa.DataType) -> bool:
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _decoded(array: pa.Array) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Text, null where the bytes are not UTF-8; and the positions of those."""
    if pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    array = array.cast(pa.large_binary())
    try:
        return array.cast(pa.large_string()), np.empty(0, np.int64)
    except pa.ArrowInvalid:
        wrong = np.array([_is_wrong(value) for value in array.to_pylist()])
        nothing = pa.scalar(None, pa.large_binary())
        valid = pa.compute.if_else(pa.array(wrong), nothing, array)
        return valid.cast(pa.large_string()), np.flatnonzero(wrong)


def _is_wrong(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return True
    return False


def _joined_lists(array: pa.Array) -> pl.Series:
    """The parts of each list as one text; bytes in it that are not UTF-8 are left out."""
    parts = array.flatten()
    if pa.types.is_dictionary(parts.type):
        parts = parts.dictionary_decode()
    text = pl.Series(_decoded(parts)[0] if _is_text(parts.type) else _known_type(parts))
    rows = pl.Series(pa.compute.list_parent_indices(array)).cast(pl.UInt32)
    joined_parts = (
        pl.DataFrame({"row": rows, "text": as_text(text)})
        .filter(~pl.col("text").is_in(MISSING))
        .group_by("row")
        .agg(pl.col("text").str.join(SEPARATOR))
    )
    every = pl.DataFrame({"row": pl.int_range(len(array), dtype=pl.UInt32, eager=True)})
    return every.join(joined_parts, on="row", how="left", maintain_order="left")["text"]


def _known_type(array: pa.Array) -> pa.Array:
    """Types that polars lacks or reads only with a list of time zones at hand."""
    kind = array.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return array.cast(pa.timestamp(kind.unit, "UTC"))
    if pa.types.is_float16(kind):
        return array.cast(pa.float32())
    if pa.types.is_decimal(kind) and kind.bit_width > 128:
        return array.cast(pa.float64())
    return array


def _shown(value: pa.Scalar) -> object:
    """A value for the quarantine, also if it is not UTF-8."""
    if isinstance(value, pa.DictionaryScalar):
        value = value.value
    if value.is_valid and _is_text(value.type):
        return value.as_buffer().to_pybytes().decode("utf-8", "backslashreplace")
    return value.as_py()


def _json(row: object) -> str:
    return json.dumps(row, default=str, ensure_ascii=False)
