"""Packed files and spreadsheets were refused with "line 1 is not UTF-8".

What can be unpacked is read, whatever its name; what cannot be read is called by its name.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from components.behavior_example_gen.reading.file_kinds import unpacked_size
from tests.helpers.outside_reading import read_log, refusal

LINES = [f"u{n},i{n},15699312{n:02d}" for n in range(50)]
CONTENT = ("user_id,item_id,timestamp\n" + "\n".join(LINES) + "\n").encode()
ROWS = [tuple(line.split(",")) for line in LINES]


def _zip(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _arrow_packed(codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(CONTENT)
    return sink.getvalue().to_pybytes()


PACKED = {
    "gzip": gzip.compress(CONTENT),
    "gzip in two parts": gzip.compress(CONTENT[:100]) + gzip.compress(CONTENT[100:]),
    "bzip2": bz2.compress(CONTENT),
    "xz": lzma.compress(CONTENT),
    "zip": _zip(**{"log.csv": CONTENT, "__MACOSX/._log.csv": b"\x00\x05"}),
    "zstd": _arrow_packed("zstd"),
    "lz4": _arrow_packed("lz4"),
}


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log"])
def test_packed_files_are_read_whatever_their_name(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKED[kind])
    assert read_log(path).rows == ROWS
    assert 0.5 * len(PACKED[kind]) < unpacked_size(str(path)) < 10 * len(CONTENT)


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zip", "zstd"])
def test_a_packed_file_that_breaks_off(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(PACKED[kind][: len(PACKED[kind]) // 2])
    assert "log.csv: cannot be read or unpacked" in refusal(path)


def test_plain_text_named_gz(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(CONTENT)
    assert read_log(path).rows == ROWS


def test_parquet_named_csv(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    frame = pl.DataFrame(ROWS, schema=["user_id", "item_id", "timestamp"], orient="row")
    frame.write_parquet(path)
    assert read_log(path).rows == ROWS
    assert "is a Parquet file, but data.format=csv" in refusal(path, format="csv")
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert "is a Parquet file packed with gzip; unpack it" in refusal(path)


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("log.csv")
        member.size = len(CONTENT)
        archive.addfile(member, io.BytesIO(CONTENT))
    return stream.getvalue()


def _database(folder: Path) -> bytes:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("create table events (user_id text)")
    return (folder / "shop.db").read_bytes()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (_zip(**{"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"}), "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "an Excel workbook"),
        (_zip(**{"a.csv": CONTENT, "b.csv": CONTENT}), "a zip archive of 2 files (a.csv, b.csv)"),
        (_tar(), "a tar archive packed with gzip"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"Obj\x01\x04\x14avro.codec", "an Avro file"),
        (b"ORC\n\x12\x00\x00", "an ORC file"),
        (pickle.dumps({"a": 1}), "a Python pickle"),
        (b"<!DOCTYPE html>\n<html>Sign in", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    ],
)
@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log"])
def test_other_files_are_called_by_their_name(
    tmp_path: Path, content: bytes, kind: str, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert f"{name}: is {kind}" in refusal(path)


def test_a_database(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(_database(tmp_path))
    assert "is an SQLite database; write it as CSV, Parquet or JSON Lines" in refusal(path)
