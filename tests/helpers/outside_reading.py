"""Reads a file as the ingestion does, without a pipeline around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading import readers, sources
from trainer.errors import DataError


@dataclass
class Read:
    """What was read of a file."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    """user_id, item_id, timestamp."""
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason."""
    swallowed: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_log(path: Path, **settings: object) -> Read:
    """Reads an event file; settings are those of DataConfig."""
    [source] = sources.event_sources([str(path)], DataConfig.from_dict(settings))
    result = Read(notes=source.notes)
    for batch in readers.read(source):
        result.rows += batch.frame.select("user_id", "item_id", "timestamp").rows()
        result.rejected += [(row.line, row.reason) for row in batch.rejected]
        result.swallowed += batch.swallowed
    return result


def refusal(path: Path, **settings: object) -> str:
    """The message with which a file is refused."""
    with pytest.raises(DataError) as caught:
        read_log(path, **settings)
    return str(caught.value)
