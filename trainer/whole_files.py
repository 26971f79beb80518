"""Files and folders that appear whole or not at all, also after a crash or a power cut."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished-"
"""Begins the names of files on their way; a process that is killed leaves them behind."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Replaces a file at once: readers see the old one or the new, never a part.

    Args:
        path: the file.

    Yields:
        A path beside it to write to, with the same ending. It takes the file's place at the end of
        the block, and is removed if the block fails.
    """
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, suffix=f"-{path.name}", dir=path.parent)
    os.close(handle)
    scratch = Path(name)
    try:
        # mkstemp's files are private; servers run as another user.
        scratch.chmod(0o644)
        yield scratch
        _sync(scratch)
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def write_whole(path: Path, text: str) -> None:
    """Replaces a file, if its text is another."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    with whole_file(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def rename_whole(source: Path, target: Path) -> None:
    """Moves a folder within a file system, after everything in it has reached the disk."""
    for path in (*source.rglob("*"), source):
        _sync(path)
    source.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
