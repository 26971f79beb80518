"""Text files as blocks of whole records: bounded memory, and line numbers that stay right."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from components.behavior_example_gen.errors import DataError
from components.behavior_example_gen.files import open_reading

BLOCK_BYTES = 16 << 20
_LONGEST_RECORD = 64 << 20
_LINES_SEARCHED = 1000
_PATIENCE = 4
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class TextBlock:
    """UTF-8 bytes of whole records; lines end with a line feed, whatever the file has."""

    data: bytes
    first_line: int
    """1-based number of the block's first line in its file."""

    def lines(self) -> list[bytes]:
        """The physical lines, without their ends."""
        return self.data.removesuffix(b"\n").split(b"\n")


def open_file(path: str) -> IO[bytes]:
    """Opens a file for reading bytes; `.gz` is unpacked on the way."""
    stream = open_reading(path)
    return cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if path.endswith(".gz") else stream


def read_head(path: str, size: int) -> bytes:
    """The first bytes of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with open_file(path) as stream:
            return stream.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None


def detect_encoding(head: bytes, setting: str) -> str:
    """The encoding to read with, from the setting or the byte order mark."""
    if setting != "auto":
        return codecs.lookup(setting).name
    return next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), "utf-8")


def read_blocks(
    path: str, encoding: str, quoted: bool = False, block_bytes: int = BLOCK_BYTES
) -> Iterator[TextBlock]:
    """Yields the file in blocks that end at the end of a record.

    Args:
        path: local or remote file, possibly `.gz`.
        encoding: of the file; blocks are UTF-8 (what claims to be UTF-8 is passed on unchecked).
        quoted: line breaks inside double quotes do not end a record.
        block_bytes: size of a block, about.

    Raises:
        DataError: not in `encoding`, not readable, or no line break within 64 MB.
    """
    line = 1
    rest = b""
    for chunk in _with_line_feeds(_utf8_chunks(path, encoding, block_bytes)):
        if line == 1 and not rest:
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        rest += chunk
        end = _last_record_end(rest, quoted, len(rest) > _PATIENCE * block_bytes)
        if end:
            yield TextBlock(rest[:end], line)
            line += rest.count(b"\n", 0, end)
            rest = rest[end:]
        elif len(rest) > _LONGEST_RECORD:
            raise DataError(f"{path}: no line break in 64 MB after line {line}; is it a text file?")
    if rest:
        yield TextBlock(rest, line)


def _utf8_chunks(path: str, encoding: str, size: int) -> Iterator[bytes]:
    decoder: Any = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
    try:
        with open_file(path) as stream:
            while chunk := stream.read(size):
                yield decoder.decode(chunk).encode() if decoder else chunk
            if decoder:
                yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is not {encoding} ({error.reason}); set data.encoding to its encoding"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: cannot be unpacked ({error})") from None


def _with_line_feeds(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Every line end (CR LF, CR) as LF."""
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") else b""
        if b"\r" in chunk:
            chunk = chunk.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield chunk
    if held:
        yield b"\n"


def _last_record_end(data: bytes, quoted: bool, at_any_cost: bool) -> int:
    """Where the last whole record ends; 0 if there is none.

    With an odd number of quotes before the last line break it lies inside a quoted value, so an
    earlier one is taken. A stray quote makes all of them odd: then, at any cost, the last one.
    """
    last = end = data.rfind(b"\n")
    if end < 0 or not quoted:
        return end + 1
    odd = data.count(b'"', 0, end) % 2
    for _ in range(_LINES_SEARCHED):
        if not odd:
            return end + 1
        earlier = data.rfind(b"\n", 0, end)
        if earlier < 0:
            break
        odd ^= data.count(b'"', earlier, end) % 2
        end = earlier
    return last + 1 if at_any_cost else 0
