"""A run directory: its files, and whether a run can work there."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from tfx_pipeline.paths.inputs import METADATA_FILE, InputError, make_writable, pattern_characters
from tfx_pipeline.paths.locks import locked

LONGEST_PATH = 3_400
"""Bytes of a run directory's path: Linux allows 4,096, and a run's own files need some hundred."""


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """Where a run keeps what it makes."""

    root: Path

    @property
    def log(self) -> Path:
        """Everything that TensorFlow, Beam and TFX said."""
        return self.root / "logs" / "run.log"

    @property
    def database(self) -> Path:
        """ML Metadata."""
        return self.root / METADATA_FILE

    @property
    def serving(self) -> Path:
        """Where models are pushed to, a numbered folder each."""
        return self.root / "serving"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.root / "report" / "index.html"

    @property
    def record(self) -> Path:
        """Versions, settings, data and node states of the latest run."""
        return self.root / "run.json"

    @property
    def metrics(self) -> Path:
        """Every figure that the run printed."""
        return self.root / "metrics.json"

    def claim(self) -> None:
        """Makes the directory and finds out what would stop a run there.

        Raises:
            InputError: the path cannot be used everywhere, nothing can be written there, or another
                run is working there.
        """
        # The path as given is shown and read; what it leads to is what TFX gets.
        for path in {str(self.root.absolute()), os.path.realpath(self.root)}:
            _check_path(path)
        make_writable(self.root)
        for file in (self.log, self.database, self.serving, self.record, self.metrics):
            if file.exists() and not os.access(file, os.W_OK):
                raise InputError(f"cannot write to {str(file)!r}; choose another --output")
        with self.locked():
            pass

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other runs out for as long as the block lasts; the directory must exist.

        Raises:
            InputError: another run is working here.
        """
        refusal = f"another run is using {str(self.root)!r}; wait for it or choose another --output"
        with locked(self.root, refusal):
            yield


def _check_path(path: str) -> None:
    """Refuses what could not be escaped in every place where files are looked for."""
    if patterns := pattern_characters(path):
        raise InputError(
            f"cannot run in {path!r}: TensorFlow and TFX read {patterns} in a path as a pattern of "
            "file names; choose another --output"
        )
    # Control characters, line breaks, and bytes that are no UTF-8.
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in path):
        raise InputError(
            f"cannot run in {path!r}: the path has control characters or is not UTF-8; "
            "choose another --output"
        )
    if len(path.encode()) > LONGEST_PATH:
        raise InputError(
            f"cannot run in a path of {len(path.encode()):,} bytes, more than {LONGEST_PATH:,}; "
            f"choose another --output than {path[:80]!r}…"
        )
