"""From the paths that a user gives to the files that are read."""

from __future__ import annotations

import difflib
import glob
import importlib.util
import tempfile
from collections.abc import Iterable
from pathlib import Path

from components.sequence_clusterer.config import LAST, NOTHING

PACKAGE_PREFIX = "package:"
METADATA_FILE = "metadata.db"
# As in `trainer.membership`, which imports TensorFlow.
_CLUSTERS_FILE = "clusters.json"


class InputError(ValueError):
    """An input file cannot be found, or the output not be written. The message names it."""


def is_remote(path: str) -> bool:
    """Whether a path belongs to a remote file system (`gs://`, `s3://`, …)."""
    return "://" in path


def resolve_files(patterns: Iterable[str], what: str) -> list[str]:
    """Absolute paths of all files that the patterns stand for.

    Args:
        patterns: paths, globs, or `package:NAME/path/in/package` for a file of an installed
            Python package. Remote paths are handed on as they are.
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


def event_files(patterns: Iterable[str]) -> list[str]:
    """`resolve_files` for events, of which there must be some.

    Raises:
        InputError: if no pattern is given, or one matches nothing.
    """
    files = resolve_files(patterns, "events")
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
    """Makes the run directory and tries to write there.

    Raises:
        InputError: naming the directory and the reason.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = "it is a file" if directory.is_file() else error.strerror
        raise InputError(
            f"cannot write to {str(directory)!r}: {reason}; choose another --output"
        ) from None


def _package_file(pattern: str, what: str) -> str:
    name, _, inner = pattern.removeprefix(PACKAGE_PREFIX).partition("/")
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise InputError(
            f"{what}: the Python package {name!r} is not installed; "
            f"install it with: pip install {name.replace('_', '-')}"
        )
    path = Path(spec.origin).parent / inner
    if not path.is_file():
        raise InputError(f"{what}: package {name!r} has no file {inner!r}")
    return str(path)


def _local_files(pattern: str, what: str) -> list[str]:
    path = Path(pattern).expanduser()
    if path.is_file():
        return [str(path.resolve())]
    if path.is_dir():
        raise InputError(
            f"{what}: {pattern!r} is a folder; give its files, for example '{path}/*.csv'"
        )
    # Path.glob takes no absolute patterns.
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207
    found = sorted(name for name in matches if Path(name).is_file())
    if not found:
        raise InputError(f"{what}: no file {pattern!r}{_nearest(path)}")
    return [str(Path(name).resolve()) for name in found]


def _nearest(path: Path) -> str:
    """A hint at a file of nearly the same name beside a missing one."""
    if not path.parent.is_dir():
        return f" (there is no folder {str(path.parent)!r})"
    names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {str(path.parent / near[0])!r}?" if near else ""
