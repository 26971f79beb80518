"""Text files as blocks of whole lines: bounded memory, and line numbers that stay right."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.behavior_example_gen.reading.file_kinds import unpacked
from trainer.errors import DataError

BLOCK_BYTES = 16 << 20
LONGEST_RECORD = 64 << 20
"""Bytes after which a line break or a closing quote is no longer waited for."""
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark is the beginning of this one.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class TextBlock:
    """UTF-8 bytes of whole lines; they end with a line feed, whatever the file has."""

    data: bytes
    first_line: int
    """1-based number of the block's first line in its file."""

    def lines(self) -> list[bytes]:
        """The physical lines, without their ends."""
        return self.data.removesuffix(b"\n").split(b"\n")


def read_head(path: str, size: int) -> bytes:
    """The first bytes of a file, unpacked.

    Raises:
        DataError: it cannot be read.
    """
    with unpacked(path) as stream:
        return stream.read(size)


def detect_encoding(head: bytes, setting: str) -> str:
    """The encoding to read with, from the setting or the byte order mark."""
    if setting != "auto":
        return codecs.lookup(setting).name
    return next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), "utf-8")


def read_blocks(path: str, encoding: str, block_bytes: int = BLOCK_BYTES) -> Iterator[TextBlock]:
    """Yields the file in blocks of whole lines.

    Args:
        path: local or remote file, possibly packed.
        encoding: of the file; blocks are UTF-8 (what claims to be UTF-8 is passed on unchecked).
        block_bytes: size of a block, about.

    Raises:
        DataError: not in `encoding`, not readable, or no line break within 64 MB.
    """
    line = 1
    rest = b""
    for chunk in _with_line_feeds(_utf8_chunks(path, encoding, block_bytes)):
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if end:
            yield TextBlock(_without_marks(rest[:end]), line)
            line += rest.count(b"\n", 0, end)
            rest = rest[end:]
        elif len(rest) > LONGEST_RECORD:
            raise DataError(f"{path}: no line break in 64 MB after line {line}; is it a text file?")
    if rest:
        yield TextBlock(_without_marks(rest), line)


def _without_marks(data: bytes) -> bytes:
    """Leaves byte order marks out: files that were put together have one in the middle."""
    if codecs.BOM_UTF8 not in data:
        return data
    return data.removeprefix(codecs.BOM_UTF8).replace(b"\n" + codecs.BOM_UTF8, b"\n")


def _utf8_chunks(path: str, encoding: str, size: int) -> Iterator[bytes]:
    decoder: Any = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
    try:
        with unpacked(path) as stream:
            while chunk := stream.read(size):
                yield decoder.decode(chunk).encode() if decoder else chunk
            if decoder:
                yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise DataError(
            f"{path}: is not {encoding} ({error}); set data.encoding to its encoding"
        ) from None


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
