"""Keeping other processes out of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tfx_pipeline.paths.inputs import InputError

LOCK = ".lock"


@contextmanager
def locked(folder: Path, refusal: str, seconds: float = 0.0) -> Iterator[None]:
    """Keeps others out for as long as the block lasts, by a file `.lock` that stays in the folder.

    Args:
        folder: must exist.
        refusal: the message when somebody else is in.
        seconds: how long to wait for them.

    Raises:
        InputError: somebody else is in.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise InputError(refusal) from None
    try:
        yield
    finally:
        lock.release()
