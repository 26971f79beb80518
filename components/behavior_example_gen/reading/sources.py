"""Which files are read, in which format, with which columns: decided before anything is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from components.behavior_example_gen.config import ColumnMapping, DataConfig
from components.behavior_example_gen.files import open_reading
from components.behavior_example_gen.reading import columns as columns_lib
from components.behavior_example_gen.reading.csv_header import read_header
from components.behavior_example_gen.reading.file_kinds import unpacked_size
from components.behavior_example_gen.reading.formats import (
    check_kind,
    check_text,
    detect_format,
    separator_advice,
    sequence_notes,
)
from components.behavior_example_gen.reading.text_blocks import (
    detect_encoding,
    read_blocks,
    read_head,
)
from trainer.errors import DataError
from trainer.local_files import local_files

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
    quoted: bool = True
    """Values of a CSV file may be in double quotes."""
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
        found = _remote_files(pattern) if "://" in pattern else local_files(pattern)
        if not found:
            raise DataError(f"{what} file not found: {pattern}")
        files.extend(path for path in found if path not in files)
    if not files:
        raise DataError(f"no {what} file is given")
    return files


def _remote_files(pattern: str) -> list[str]:
    """As `local_files`, in a remote file system."""
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
    table = _Table(
        mapping, columns_lib.EVENT_ALIASES, columns_lib.REQUIRED_EVENT_COLUMNS, "data.columns"
    )
    sources = [
        _inspect(path, number, config, config.format, table)
        for number, path in enumerate(expand(patterns, "event"))
    ]
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
    table = _Table(
        config.items_columns, columns_lib.ITEM_ALIASES, columns_lib.REQUIRED_ITEM_COLUMNS,
        "data.items_columns",
    )  # fmt: skip
    return [
        _inspect(path, number, config, "auto", table)
        for number, path in enumerate(expand(patterns, "items"))
    ]


@dataclass(frozen=True)
class _Table:
    """The columns that a kind of files should have."""

    mapping: ColumnMapping
    aliases: Mapping[str, tuple[str, ...]]
    required: Sequence[str]
    setting: str

    @property
    def of_items(self) -> bool:
        """Whether the files are items files."""
        return self.required == columns_lib.REQUIRED_ITEM_COLUMNS

    def resolve(self, found: Sequence[str], path: str) -> columns_lib.Columns:
        """Finds them.

        Raises:
            DataError: a required or mapped one is not there, or there twice.
        """
        resolved = columns_lib.resolve(
            found, self.mapping, self.aliases, self.required, path, self.setting
        )
        unknown = [role for role in self.aliases if role not in (*self.mapping, *self.required)]
        if self.of_items and unknown and set(resolved.names) == set(self.required):
            resolved.notes.append(
                f"{PurePosixPath(path).name}: says nothing about its items, because no column "
                f"is called {', '.join(unknown)}. Columns found: {columns_lib.listed(found)}"
                f"{columns_lib.nearest_names(unknown, found, self.setting)}"
            )
        return resolved


def _inspect(path: str, number: int, config: DataConfig, wanted: str, table: _Table) -> Source:
    """Looks at the beginning of a file."""
    head = read_head(path, _HEAD_BYTES)
    if not head.strip():
        raise DataError(f"{path}: the file is empty")
    check_kind(path, head, wanted)
    encoding = detect_encoding(head, config.encoding)
    form = detect_format(path, head, encoding, wanted)
    if form == "parquet":
        found, rows = _parquet_columns(path)
        resolved = table.resolve(found, path)
        return Source(path, number, form, resolved.names, estimated_rows=rows, notes=resolved.notes)
    size = unpacked_size(path)
    text = next((block.data for block in read_blocks(path, encoding, _HEAD_BYTES)), b"")
    if not text.strip():
        raise DataError(f"{path}: the file is empty")
    check_text(path, text, config.encoding)
    if form == "sequences":
        if table.of_items:
            raise DataError(f"{path}: an items file must be CSV, Parquet or JSON Lines")
        return Source(
            path, number, form, {}, encoding=encoding,
            estimated_rows=size // _BYTES_PER_SEQUENCE_EVENT,
            notes=sequence_notes(path, text, wanted),
        )  # fmt: skip
    rows = size // _BYTES_PER_TEXT_EVENT
    if form == "jsonl":
        found = _json_keys(path, text)
        resolved = table.resolve(found, path)
        return Source(
            path, number, form, resolved.names, encoding=encoding, estimated_rows=rows,
            notes=resolved.notes,
        )  # fmt: skip
    quoted = config.quoting == "auto"
    header = read_header(text.decode("utf-8", "replace"), config.separator, quoted)
    if len(header.names) < len(table.required):
        raise DataError(
            f"{path}: {len(header.names)} column(s) when line {header.lines} is cut at "
            f"{header.separator!r}: {header.text[:200]!r}, but {', '.join(table.required)} are "
            f"needed. {separator_advice(header.text)}"
        )
    resolved = table.resolve(header.names, path)
    return Source(
        path, number, form, resolved.names, header.names, header.lines, header.separator,
        quoted, encoding, rows, resolved.notes,
    )  # fmt: skip


def _parquet_columns(path: str) -> tuple[list[str], int]:
    try:
        with open_reading(path) as stream:
            parquet = pq.ParquetFile(stream)
            return parquet.schema_arrow.names, parquet.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is not a readable Parquet file ({error})") from None


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
