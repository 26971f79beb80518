"""What a file is, told by its first bytes; packed files are unpacked on the way."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

import pyarrow as pa

from components.behavior_example_gen.files import open_reading
from trainer.errors import DataError

PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip", ".zst", ".lz4")
PARQUET = "a Parquet file"
ADVICE = "write it as CSV, Parquet or JSON Lines"
"""What to do with a file that no reader takes."""

_START_BYTES = 512
_PACKED = {
    "gzip": rb"\x1f\x8b",
    "bzip2": rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)",
    "xz": rb"\xfd7zXZ\x00",
    "zip": rb"PK(?:\x03\x04|\x05\x06)",
    "zstd": rb"\x28\xb5\x2f\xfd",
    "lz4": rb"\x04\x22\x4d\x18",
}
# How many times larger text is when it is unpacked, about.
_GROWTH = {"gzip": 4, "bzip2": 6, "xz": 6, "zstd": 4, "lz4": 3}
_OFFICE = "an Excel workbook or another document of an office program"
_BINARY = {
    PARQUET: rb"PAR1",
    _OFFICE: rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "an SQLite database": rb"SQLite format 3\x00",
    "a PDF document": rb"%PDF-",
    "an Avro file": rb"Obj\x01",
    "an ORC file": rb"ORC[\x00-\x1f\x80-\xff]",
    "an Arrow or Feather file": rb"(?:ARROW1|FEA1)\x00",
    "an HDF5 file": rb"\x89HDF\r\n\x1a\n",
    "a NumPy array": rb"\x93NUMPY",
    "a Python pickle": rb"\x80[\x02-\x05]",
    "an R data file": rb"RDX[23]\n",
    "a 7z archive": rb"7z\xbc\xaf\x27\x1c",
    "a RAR archive": rb"Rar!\x1a\x07",
    "a file packed by compress (.Z)": rb"\x1f\x9d",
    "a tar archive": rb"(?s:.{257})ustar",
    "a picture": rb"\x89PNG|\xff\xd8\xff|GIF8[79]a",
    "a web page": rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html))",
    "an XML file": rb"(?:\xef\xbb\xbf)?<\?xml",
    "a pointer of Git LFS, not the file itself": rb"version https://git-lfs",
}
_OFFICE_MEMBERS = re.compile(r"\[Content_Types\]\.xml|mimetype|META-INF/")


def binary_kind(head: bytes) -> str | None:
    """What a file is if it is no text, with its article; None if it may be text."""
    return next((kind for kind, start in _BINARY.items() if re.match(start, head)), None)


def packing(path: str) -> str | None:
    """By what a file is packed."""
    with open_reading(path) as stream:
        return _packing(stream.read(_START_BYTES))


@contextlib.contextmanager
def unpacked(path: str) -> Iterator[IO[bytes]]:
    """Opens a file for reading its bytes; packed files are unpacked, whatever their name.

    Raises:
        DataError: it cannot be read, or breaks off, or is an archive of several files.
    """
    try:
        with open_reading(path) as stream:
            packed = _packing(stream.read(_START_BYTES))
            stream.seek(0)
            if packed is None:
                yield stream
                return
            with _unpack(path, stream, packed) as content:
                yield content
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read or unpacked ({error})") from None
    except NotImplementedError as error:
        raise DataError(f"{path}: cannot be unpacked here ({error}); unpack it") from None


def unpacked_size(path: str) -> int:
    """Bytes of the file's content, estimated from its size if it is packed."""
    packed = packing(path)
    with open_reading(path) as stream:
        if packed == "zip":
            with zipfile.ZipFile(stream) as archive:
                return sum(member.file_size for member in archive.infolist())
        return stream.seek(0, 2) * (_GROWTH[packed] if packed else 1)


def _packing(start: bytes) -> str | None:
    return next((name for name, sign in _PACKED.items() if re.match(sign, start)), None)


def _unpack(path: str, stream: IO[bytes], packed: str) -> IO[bytes]:
    if packed == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    if packed == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(stream))
    if packed == "xz":
        return cast(IO[bytes], lzma.LZMAFile(stream))
    if packed == "zip":
        return _only_member(path, zipfile.ZipFile(stream))
    return cast(IO[bytes], pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), packed))


def _only_member(path: str, archive: zipfile.ZipFile) -> IO[bytes]:
    """The file in an archive of one; folders, and what macOS adds, are not counted."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    names = [member.filename for member in members]
    if any(map(_OFFICE_MEMBERS.match, names)):
        raise DataError(f"{path}: is {_OFFICE}; {ADVICE}")
    if len(members) != 1:
        found = ", ".join(names[:5]) or "nothing"
        raise DataError(
            f"{path}: is a zip archive of {len(members)} files ({found}), not of one; unpack it"
        )
    if members[0].flag_bits & 1:
        raise DataError(f"{path}: is a zip archive with a password; unpack it")
    return archive.open(members[0])
