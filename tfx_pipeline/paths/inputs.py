"""From the paths that a user gives to the files that are read."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from components.sequence_clusterer.config import LAST, NOTHING
from trainer.errors import UserError
from trainer.local_files import local_files
from trainer.nearest import nearest

PACKAGE_PREFIX = "package:"
METADATA_FILE = "metadata.db"
_PATTERN_CHARACTERS = "*?[]{}\\"
# As in `trainer.clusters.cluster_geometry`, which imports TensorFlow.
_CLUSTERS_FILE = "clusters.json"


class InputError(UserError):
    """An input file cannot be found, or the output not be written. The message names it."""


def is_remote(path: str) -> bool:
    """Whether a path belongs to a remote file system (`gs://`, `s3://`, …)."""
    return "://" in path


def refuse_remote(path: str) -> None:
    """Refuses what a local run does not read.

    Raises:
        InputError: the path belongs to a remote file system.
    """
    if is_remote(path):
        raise InputError(
            f"{path!r}: only a compiled pipeline reads remote files; copy it here for a local run"
        )


def pattern_characters(path: str) -> str:
    """What TensorFlow, TFX or Beam would read as a pattern of file names, "" if nothing: "[ ]"."""
    return " ".join(character for character in _PATTERN_CHARACTERS if character in path)


def resolve_files(patterns: Iterable[str], what: str) -> list[str]:
    """Absolute paths of all files that the patterns stand for.

    Args:
        patterns: paths, folders, globs, or `package:NAME/path/in/package` for a file of an
            installed Python package. Remote paths are handed on as they are.
        what: what the files are, for messages ("events").

    Raises:
        InputError: naming the pattern that matches nothing.
    """
    files: list[str] = []
    for pattern in patterns:
        if is_remote(pattern):
            found = [pattern]
        elif pattern.startswith(PACKAGE_PREFIX):
            found = [_package_file(pattern, what)]
        else:
            found = _local_files(pattern, what)
        files.extend(name for name in found if name not in files)
    return files


def event_files(patterns: Iterable[str], what: str = "events") -> list[str]:
    """`resolve_files` for events, of which there must be some.

    Raises:
        InputError: if no pattern is given, or one matches nothing.
    """
    files = resolve_files(patterns, what)
    if not files:
        raise InputError("no event files given; name them with --events")
    return files


def labels_file(pattern: str | None) -> str:
    """The file of the setting `clustering.labels`; "" without one.

    Raises:
        InputError: if there is no such file, or more than one.
    """
    files = resolve_files([pattern] if pattern else [], "clustering.labels")
    if len(files) > 1:
        raise InputError(
            f"clustering.labels: {pattern!r} stands for {len(files)} files; give the one to compare"
        )
    return files[0] if files else ""


def start_path(setting: str) -> Path | None:
    """The folder that `clustering.start_from` names: a run directory, or that of a ClusterModel.

    Returns:
        None where the setting names no folder ("last", "none").

    Raises:
        InputError: if it is neither.
    """
    if setting in (LAST, NOTHING):
        return None
    if is_remote(setting):
        raise InputError(
            f"clustering.start_from: {setting!r}: only a compiled pipeline reads remote folders; "
            "copy it here for a local run"
        )
    path = Path(setting).expanduser().resolve()
    if not any((path / name).is_file() for name in (METADATA_FILE, _CLUSTERS_FILE)):
        reason = "there is no such folder" if not path.exists() else "it is neither"
        raise InputError(
            f"clustering.start_from: {setting!r}: give last, none, a run directory, or the folder "
            f"of a ClusterModel ({_CLUSTERS_FILE}); {reason}"
        )
    return path


def make_writable(directory: Path) -> None:
    """Makes a directory and tries to write there.

    Raises:
        InputError: naming the directory and the reason.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = error.strerror
        if isinstance(error, FileExistsError):
            link = directory.is_symlink() and not directory.exists()
            reason = "it is a link that leads nowhere" if link else "it is a file"
        raise InputError(
            f"cannot write to {str(directory)!r}: {reason}; choose another --output"
        ) from None


def _package_file(pattern: str, what: str) -> str:
    name, _, inner = pattern.removeprefix(PACKAGE_PREFIX).partition("/")
    folders = _package_folders(name)
    if not folders:
        raise InputError(
            f"{what}: there is no Python package {name!r} here; "
            f"install it with: pip install {name.replace('_', '-')}"
        )
    if inner.startswith("/") or ".." in Path(inner).parts:
        raise InputError(f"{what}: {pattern!r} leads out of the package {name!r}")
    for folder in folders:
        if (path := folder / inner).is_file():
            return str(path)
    raise InputError(f"{what}: package {name!r} has no file {inner!r}")


def _package_folders(name: str) -> list[Path]:
    """Where a package lies; nowhere if there is none of that name, or it is a mere module."""
    if not all(part.isidentifier() for part in name.split(".")):
        return []
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    return [] if spec is None else list(map(Path, spec.submodule_search_locations or ()))


def _local_files(pattern: str, what: str) -> list[str]:
    try:
        found = local_files(pattern)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{what}: cannot look for {pattern!r}: {reason}") from None
    if not found:
        raise InputError(f"{what}: no file {pattern!r}{_hint(pattern)}")
    return [str(Path(name).resolve()) for name in found]


def _hint(pattern: str) -> str:
    """Why there is no file: what is missing, or nearly of this name."""
    path = Path(os.path.expanduser(pattern))  # noqa: PTH111
    if path.is_dir():
        return ": the folder has none (names that begin with . or _ do not count)"
    if not path.parent.is_dir():
        return f" (there is no folder {str(path.parent)!r})"
    near = nearest(path.name, (entry.name for entry in path.parent.iterdir()), cutoff=0.6)
    return f"; did you mean {str(path.parent / near)!r}?" if near else ""
