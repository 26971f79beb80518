"""Small files by path or URI (`gs://…`), read and written at once."""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl
import tensorflow as tf


def read_bytes(uri: str) -> bytes:
    """The file's content.

    Raises:
        tf.errors.NotFoundError: there is no such file.
    """
    with tf.io.gfile.GFile(uri, "rb") as file:
        return bytes(file.read())


def write_bytes(uri: str, content: bytes) -> None:
    """Writes a file, and its folder where there is none."""
    tf.io.gfile.makedirs(uri.rpartition("/")[0])
    with tf.io.gfile.GFile(uri, "wb") as file:
        file.write(content)


def read_json(uri: str) -> Any:
    """The values of a JSON file.

    Raises:
        tf.errors.NotFoundError: there is no such file.
        ValueError: it is not JSON.
    """
    return json.loads(read_bytes(uri))


def write_json(uri: str, value: Any, allow_nan: bool = True) -> None:
    """Writes values as indented JSON.

    Raises:
        ValueError: something is not finite, and `allow_nan` is off.
    """
    write_bytes(uri, json.dumps(value, indent=1, allow_nan=allow_nan).encode())


def read_parquet(uri: str, columns: list[str] | None = None) -> pl.DataFrame:
    """The table of a Parquet file, or some of its columns.

    Raises:
        tf.errors.NotFoundError: there is no such file.
    """
    return pl.read_parquet(io.BytesIO(read_bytes(uri)), columns=columns)


def write_parquet(uri: str, table: pl.DataFrame) -> None:
    """Writes a table as Parquet."""
    # polars writes from a thread of its own, which TensorFlow's file objects do not bear.
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    write_bytes(uri, buffer.getvalue())
