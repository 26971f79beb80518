"""Tables on disk between the steps: Arrow IPC streams, LZ4, on any file system TFX knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO

import polars as pl
import pyarrow as pa

from components.behavior_example_gen.files import open_reading, open_writing

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class TableWriter:
    """Appends frames of one schema to one file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._stream: IO[bytes] = open_writing(path)
        self._writer: pa.RecordBatchStreamWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Appends rows."""
        table = to_arrow(frame)
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._stream, table.schema, options=_OPTIONS)
        self._writer.write_table(table)

    def close(self) -> None:
        """Ends the file."""
        if self._writer is not None:
            self._writer.close()
        self._stream.close()


def write_table(frame: pl.DataFrame, path: str) -> str:
    """Writes one frame; returns the path."""
    writer = TableWriter(path)
    writer.write(frame)
    writer.close()
    return path


def read_tables(paths: Iterable[str], columns: Sequence[str] | None = None) -> pl.DataFrame:
    """All rows of the files, in their order; only the given columns are unpacked."""
    tables = []
    for path in paths:
        with open_reading(path) as stream:
            data = stream.read()
        options = pa.ipc.IpcReadOptions()
        if columns is not None:
            schema = pa.ipc.open_stream(data).schema
            options.included_fields = [schema.get_field_index(name) for name in columns]
        tables.append(pa.ipc.open_stream(data, options=options).read_all())
    frame = pl.from_arrow(pa.concat_tables(tables))
    assert isinstance(frame, pl.DataFrame)
    return frame


def to_bytes(frame: pl.DataFrame) -> bytes:
    """A frame as an element of a PCollection."""
    table = to_arrow(frame)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def from_bytes(data: bytes) -> pl.DataFrame:
    """Inverse of `to_bytes`."""
    frame = pl.from_arrow(pa.ipc.open_stream(data).read_all())
    assert isinstance(frame, pl.DataFrame)
    return frame


def to_arrow(frame: pl.DataFrame) -> pa.Table:
    """Arrow table with the types that pyarrow 10 knows."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
