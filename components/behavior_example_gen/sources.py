"""Which files are read, in which format, with which columns: decided before anything is read."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from components.behavior_example_gen import columns as columns_lib
from components.behavior_example_gen.config import ColumnMapping, DataConfig
from components.behavior_example_gen.errors import DataError
from components.behavior_example_gen.files import open_reading
from components.behavior_example_gen.text_blocks import detect_encoding, read_blocks, read_head

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_SEPARATORS = ",;\t|"
_HEAD_BYTES = 1 << 18
_BYTES_PER_TEXT_EVENT = 50
_BYTES_PER_SEQUENCE_EVENT = 6


@dataclass(frozen=True)
class Source:
    """One file to read; travels to Beam workers."""

    path: str
    number: int
    """Position among the files: the order of the log."""
    format: str
    columns: dict[str, tuple[str, ...]]
    header: tuple[str, ...] = ()
    """All columns of a CSV file, in order."""
    header_lines: int = 0
    separator: str = ","
    encoding: str = "utf-8"
    estimated_rows: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return PurePosixPath(self.path).name

    @property
    def unit(self) -> str:
        """What its rows are counted in."""
        return "row" if self.format == "parquet" else "line"


def expand(patterns: Sequence[str], what: str) -> list[str]:
    """Files that paths, globs and folders stand for, each once, globs in name order.

    Raises:
        DataError: nothing is there.
    """
    files: list[str] = []
    for pattern in patterns:
        # Files of a local run have been found already; nothing is imported for them.
        found = [pattern] if Path(pattern).is_file() else _found(pattern)
        if not found:
            raise DataError(f"{what} file not found: {pattern}")
        files.extend(path for path in found if path not in files)
    if not files:
        raise DataError(f"no {what} file is given")
    return files


def _found(pattern: str) -> list[str]:
    """The files in a folder, or those that a pattern stands for, local or remote."""
    from tfx.dsl.io import fileio

    if fileio.isdir(pattern):
        # A listing, because the folder's own name may look like a pattern.
        inside = [f"{pattern.rstrip('/')}/{name}" for name in sorted(fileio.listdir(pattern))]
        return [
            path
            for path in inside
            if PurePosixPath(path).name[0] not in "._" and not fileio.isdir(path)
        ]
    if fileio.exists(pattern):
        return [pattern]
    return sorted(path for path in fileio.glob(pattern) if not fileio.isdir(path))


def fingerprint(patterns: Sequence[str]) -> str:
    """Hash of the files' contents, in order; "" without files.

    Raises:
        DataError: a file is not there.
    """
    if not patterns:
        return ""
    total = hashlib.blake2b(digest_size=16)
    for path in expand(patterns, "input"):
        digest = hashlib.blake2b(digest_size=16)
        with open_reading(path) as stream:
            while chunk := stream.read(1 << 22):
                digest.update(chunk)
        total.update(digest.digest())
    return total.hexdigest()


def event_sources(patterns: Sequence[str], config: DataConfig) -> list[Source]:
    """The event files, inspected.

    Raises:
        DataError: a file is missing, empty, of unknown form or lacks a column; or sequence files
            and event files are mixed.
    """
    mapping = dict(config.columns)
    # A return's invoice column is read under a name of its own.
    if config.cancellation.column is not None:
        mapping["cancel_key"] = config.cancellation.column
    sources = [
        _inspect(
            path, number, config, mapping, columns_lib.EVENT_ALIASES,
            columns_lib.REQUIRED_EVENT_COLUMNS, "data.columns",
        )
        for number, path in enumerate(expand(patterns, "event"))
    ]  # fmt: skip
    forms = {source.format == "sequences" for source in sources}
    if len(forms) > 1:
        raise DataError(
            "sequence files and event files cannot be read together: "
            + ", ".join(f"{source.name} ({source.format})" for source in sources)
        )
    return sources


def item_sources(patterns: Sequence[str], config: DataConfig) -> list[Source]:
    """The items files, inspected; none is fine.

    Raises:
        DataError: a file is missing, empty, of unknown form or has no item_id.
    """
    if not patterns:
        return []
    sources = [
        _inspect(
            path, number, config, config.items_columns, columns_lib.ITEM_ALIASES,
            columns_lib.REQUIRED_ITEM_COLUMNS, "data.items_columns",
        )
        for number, path in enumerate(expand(patterns, "items"))
    ]  # fmt: skip
    for source in sources:
        if source.format == "sequences":
            raise DataError(f"{source.path}: an items file must be CSV, Parquet or JSON Lines")
    return sources


def _inspect(
    path: str,
    number: int,
    config: DataConfig,
    mapping: ColumnMapping,
    aliases: Mapping[str, tuple[str, ...]],
    required: Sequence[str],
    setting: str,
) -> Source:
    """Looks at the beginning of a file."""
    head = read_head(path, _HEAD_BYTES)
    if not head.strip():
        raise DataError(f"{path}: the file is empty")
    form = _format(path, head, "auto" if setting == "data.items_columns" else config.format)
    if form == "parquet":
        found, rows = _parquet_columns(path)
        resolved = columns_lib.resolve(found, mapping, aliases, required, path, setting)
        return Source(path, number, form, resolved.names, estimated_rows=rows, notes=resolved.notes)
    encoding = detect_encoding(head, config.encoding)
    with open_reading(path) as stream:
        size = stream.seek(0, 2) * (4 if path.endswith(".gz") else 1)
    text = next(read_blocks(path, encoding, block_bytes=_HEAD_BYTES)).data
    _check_header(path, text, config.encoding)
    if form == "sequences":
        rows = size // _BYTES_PER_SEQUENCE_EVENT
        return Source(path, number, form, {}, encoding=encoding, estimated_rows=rows)
    rows = size // _BYTES_PER_TEXT_EVENT
    if form == "jsonl":
        found = _json_keys(path, text)
        resolved = columns_lib.resolve(found, mapping, aliases, required, path, setting)
        return Source(
            path, number, form, resolved.names, encoding=encoding, estimated_rows=rows,
            notes=resolved.notes,
        )  # fmt: skip
    header_lines, line = next(
        (index, line) for index, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1)
        if line.strip()
    )  # fmt: skip
    separator = config.separator
    if separator == "auto":
        separator = max(_SEPARATORS, key=line.count)
    header = [name.strip() for name in next(csv.reader([line], delimiter=separator))]
    if len(header) < len(required):
        raise DataError(
            f"{path}: {len(header)} column(s) when line {header_lines} is cut at {separator!r}: "
            f"{line[:200]!r}, but {', '.join(required)} are needed. Is data.separator right?"
        )
    resolved = columns_lib.resolve(header, mapping, aliases, required, path, setting)
    return Source(
        path, number, form, resolved.names, tuple(header), header_lines, separator, encoding,
        rows, resolved.notes,
    )  # fmt: skip


def _format(path: str, head: bytes, setting: str) -> str:
    if setting != "auto":
        return setting
    path = path.removesuffix(".gz")
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if head.startswith(b"PAR1"):
        return "parquet"
    line = head.lstrip().split(b"\n", 1)[0].strip()
    if line.startswith(b"{"):
        return "jsonl"
    if any(separator.encode() in line for separator in ",;|"):
        return "csv"
    if len(line.split()) > 1 and not any(name in line.lower() for name in (b"user", b"item")):
        return "sequences"
    if b"\t" in line:
        return "csv"
    raise DataError(
        f"{path}: the format cannot be told from the name or the first line; "
        "set data.format to csv, parquet, jsonl or sequences"
    )


def _parquet_columns(path: str) -> tuple[list[str], int]:
    try:
        with open_reading(path) as stream:
            parquet = pq.ParquetFile(stream)
            return parquet.schema_arrow.names, parquet.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is not a readable Parquet file ({error})") from None


def _check_header(path: str, text: bytes, setting: str) -> None:
    """The first lines must be text in the encoding expected."""
    line = text.split(b"\n", 1)[0]
    try:
        line.decode()
    except UnicodeDecodeError as error:
        hint = "set data.encoding, for example to cp1252 or latin-1"
        raise DataError(f"{path}: line 1 is not UTF-8 ({error.reason}); {hint}") from None
    if b"\x00" in text:
        hint = "" if setting != "auto" else "; if it is UTF-16, set data.encoding=utf-16-le"
        raise DataError(f"{path}: is not a text file (it contains zero bytes){hint}")


def _json_keys(path: str, text: bytes) -> list[str]:
    """All keys of the readable lines at the beginning, in order of appearance."""
    if text.lstrip().startswith(b"["):
        raise DataError(f"{path}: is a JSON array; JSON Lines has one object on each line")
    keys: dict[str, None] = {}
    for line in text.split(b"\n")[:1000]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            keys.update(dict.fromkeys(value))
    if not keys:
        raise DataError(f"{path}: none of the first lines is a JSON object")
    return list(keys)
