"""What is served today: the newest usable version in the push destination."""

from __future__ import annotations

import dataclasses

import tensorflow as tf
from tfx.dsl.io import fileio

SIGNATURE = "evaluate"
OUTPUTS = frozenset({"rank", "recommended", "catalogue_size"})


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A SavedModel in the push destination.

    Attributes:
        version: name of its folder, a number.
        path: folder with `saved_model.pb`.
    """

    version: str
    path: str


def find_served(push_destination: str) -> tuple[ServedModel | None, list[str]]:
    """Looks for the newest version that can stand as a baseline.

    TensorFlow Serving keeps the version before when a new one does not load; so does this.

    Args:
        push_destination: folder or URI with a numbered folder for each version; it need not exist.

    Returns:
        The model, None if there is none, and a sentence for each newer version passed over.
    """
    skipped: list[str] = []
    for version in _versions(push_destination):
        path = f"{push_destination.rstrip('/')}/{version}"
        fault = _fault(path)
        if fault is None:
            return ServedModel(version, path), skipped
        skipped.append(f"version {version} in {push_destination} {fault}")
    return None, skipped


def _versions(push_destination: str) -> list[str]:
    """Numbered folders, newest first."""
    if not push_destination or not fileio.isdir(push_destination):
        return []
    names = (str(name).rstrip("/") for name in fileio.listdir(push_destination))
    return sorted((name for name in names if name.isdecimal()), key=int, reverse=True)


def _fault(path: str) -> str | None:
    """Why the SavedModel cannot be the baseline; None if it can."""
    if not fileio.exists(f"{path}/saved_model.pb"):
        return "is incomplete: it has no saved_model.pb"
    try:
        signatures = tf.saved_model.load(path).signatures
    # A damaged model may raise anything; whatever it is, the model cannot be used.
    except Exception as error:
        return f"cannot be loaded: {str(error).splitlines()[0] if str(error) else type(error)}"
    if SIGNATURE not in signatures:
        return f"has no signature {SIGNATURE!r}, so it cannot be compared"
    missing = sorted(OUTPUTS - set(signatures[SIGNATURE].structured_outputs))
    if missing:
        return f"lacks the output {missing[0]!r} of signature {SIGNATURE!r}"
    return None
