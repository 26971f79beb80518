"""Which files a path, a folder or a pattern of file names on this machine stands for."""

from __future__ import annotations

import glob
import os
from pathlib import Path


def local_files(pattern: str) -> list[str]:
    """The files in the order of their names; none where nothing is there.

    A file or folder of exactly this name comes before a pattern. A folder stands for the files
    directly in it whose names begin neither with "." nor with "_": those are marks of programs.

    Args:
        pattern: path of a file or folder, or a glob; `~` and `**` work.

    Raises:
        OSError, ValueError: one cannot look there.
    """
    # Unlike Path's, this leaves the name of an unknown user as it is.
    path = Path(os.path.expanduser(pattern))  # noqa: PTH111
    if path.is_file():
        return [str(path)]
    if path.is_dir():
        inside = [str(entry) for entry in path.iterdir() if entry.name[0] not in "._"]
    else:
        # Path.glob takes no absolute patterns.
        inside = glob.glob(_literal_folders(path), recursive=True)  # noqa: PTH207
    return sorted(name for name in inside if Path(name).is_file())


def _literal_folders(path: Path) -> str:
    """The pattern of a path in which folders that exist stand for themselves: `log[1]/*.csv`."""
    done = Path(path.anchor)
    pattern = Path(path.anchor)
    literal = True
    for part in path.relative_to(path.anchor).parts:
        literal = literal and (done / part).exists()
        done /= part
        pattern /= glob.escape(part) if literal else part
    return str(pattern)
