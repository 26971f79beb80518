"""Folders that are filled once for all workers of a test run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def once(
    tmp_path_factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]
) -> Path:
    """A folder that the first worker that asks for it fills; the others wait, and read it.

    Args:
        tmp_path_factory: pytest's fixture.
        name: of the folder, one for each use.
        fill: is given the new folder.
    """
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent  # of all workers
    folder, filled = session / name, session / f"{name}.filled"
    with FileLock(session / f"{name}.lock"):
        if not filled.exists():
            folder.mkdir()
            fill(folder)
            filled.touch()
    return folder
