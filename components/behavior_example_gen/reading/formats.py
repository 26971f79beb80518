"""Which format a file has, and whether its beginning fits it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from components.behavior_example_gen.reading.columns import has_known_name
from components.behavior_example_gen.reading.file_kinds import (
    ADVICE,
    PACKED_SUFFIXES,
    PARQUET,
    binary_kind,
    packing,
)
from components.behavior_example_gen.reading.line_shapes import signs_of_events
from trainer.errors import DataError

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_START_BYTES = 1_000


def check_kind(path: str, head: bytes, wanted: str) -> None:
    """Names a file that is no text.

    Raises:
        DataError: no reader takes it, or not the one wanted.
    """
    kind = binary_kind(head)
    packed = packing(path)
    if kind is None:
        return
    if packed is not None:
        raise DataError(f"{path}: is {kind} packed with {packed}; unpack it")
    if kind != PARQUET:
        raise DataError(f"{path}: is {kind}; {ADVICE}")
    if wanted not in ("auto", "parquet"):
        raise DataError(f"{path}: is {kind}, but data.format={wanted}; set data.format=auto")


def detect_format(path: str, head: bytes, encoding: str, setting: str) -> str:
    """The format, from the setting, the first bytes, the name or the first line.

    Raises:
        DataError: none of them tells.
    """
    if setting != "auto":
        return setting
    if binary_kind(head) == PARQUET:
        return "parquet"
    name = path.lower()
    for packed in PACKED_SUFFIXES:
        name = name.removesuffix(packed)
    suffix = PurePosixPath(name).suffix
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    text = head.decode(encoding, "ignore").lstrip("\ufeff \t\r\n")
    line = re.split(r"[\r\n]", text, maxsplit=1)[0].strip()
    if line.startswith("{"):
        return "jsonl"
    if any(separator in line for separator in ",;|"):
        return "csv"
    words = line.split()
    if len(words) > 1:
        return "csv" if has_known_name(words) else "sequences"
    advice = "set data.format to csv, parquet, jsonl or sequences"
    raise DataError(
        f"{path}: the format cannot be told from the name or the first line ({line[:200]!r}); "
        + (separator_advice(line) if "::" in line else advice)
    )


def check_text(path: str, text: bytes, setting: str) -> None:
    """The beginning must be text in the encoding expected; a stray zero byte costs its row only.

    Raises:
        DataError: it is not.
    """
    start = text[:_START_BYTES]
    if not start.strip(b"\x00\n"):
        raise DataError(f"{path}: begins with nothing but zero bytes; was its writing cut off?")
    if start.count(0) * 5 > len(start):
        likely = "utf-16-be" if start.startswith(b"\x00") else "utf-16-le"
        hint = f"; if it is UTF-16, set data.encoding={likely}" if setting == "auto" else ""
        raise DataError(f"{path}: is not a text file (it contains zero bytes){hint}")
    try:
        text.split(b"\n", 1)[0].decode()
    except UnicodeDecodeError as error:
        hint = "set data.encoding, for example to cp1252 or latin-1"
        raise DataError(f"{path}: line 1 is not UTF-8 ({error.reason}); {hint}") from None


def sequence_notes(path: str, text: bytes, wanted: str) -> list[str]:
    """What to say of a sequence file that does not look like one.

    Raises:
        DataError: nobody said that it is one.
    """
    signs = signs_of_events(text)
    if not signs:
        return []
    looks = f"reads like one event a line, without column names: {', '.join(signs)}"
    if wanted == "sequences":
        return [f"{PurePosixPath(path).name}: {looks}; it is read as data.format=sequences says"]
    line = text.split(b"\n", 1)[0].decode("utf-8", "replace")
    raise DataError(
        f"{path}: {looks} (line 1: {line[:200]!r}). If each line is an event, put a line of column "
        "names on top, with the same separator, such as user_id item_id rating timestamp, and set "
        "data.format=csv. If each line is a user and all items of that user, oldest first, set "
        "data.format=sequences"
    )


def separator_advice(line: str) -> str:
    """What to do with a first line that is one column only."""
    if "::" in line:
        return "Put a comma or a tab in place of every '::', and a line of column names on top."
    return "Is data.separator right? Is there a line of column names on top?"
