"""What is served today: the stable version in the push destination, or the newest usable one.

BaselineModel asks before a model is judged, and the Pusher again before it is pushed.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf
from tfx.dsl.io import fileio

from components.baseline_model.record import BaselineRecord
from trainer.serving.model_identity import stated_identity
from trainer.serving.version_labels import MODELS_CONFIG, VersionLabels, version_numbers

SIGNATURE = "evaluate"
OUTPUTS = frozenset({"rank", "recommended", "catalogue_size"})


@dataclasses.dataclass(frozen=True)
class ServedVersion:
    """A SavedModel in the push destination.

    Attributes:
        version: name of its folder, a number.
        path: folder with `saved_model.pb`.
    """

    version: str
    path: str


def find_served(push_destination: str) -> tuple[ServedVersion | None, list[str]]:
    """Looks for the version that is served, if it can stand as a baseline.

    That is the one labelled stable, and the newest where there are no labels. TensorFlow Serving
    keeps the version before when one does not load; so does this.

    Args:
        push_destination: folder or URI with a numbered folder for each version; it need not exist.

    Returns:
        The model, None if there is none, and a sentence for each version passed over.

    Raises:
        ConfigError: the file with the labels cannot be read.
    """
    skipped: list[str] = []
    for version in _versions(push_destination):
        path = f"{push_destination.rstrip('/')}/{version}"
        fault = _fault(path)
        if fault is None:
            return ServedVersion(version, path), skipped
        skipped.append(f"version {version} in {push_destination} {fault}")
    return None, skipped


def find_stable(push_destination: str) -> tuple[str, str]:
    """The version that servers are told to serve, whether it can stand as a baseline or not.

    Args:
        push_destination: as `find_served` takes it.

    Returns:
        Its number and its model's identity; "" twice where there is none.

    Raises:
        ConfigError: the file with the labels cannot be read.
    """
    for version in _versions(push_destination):
        path = f"{push_destination.rstrip('/')}/{version}"
        if _is_complete(path):
            return version, stated_identity(path)
    return "", ""


def overtaken_by(push_destination: str, baseline: BaselineRecord) -> str | None:
    """Looks whether a candidate would replace a version that it was not compared with.

    Args:
        push_destination: as `find_served` takes it.
        baseline: what the candidate was compared with.

    Returns:
        None if what was stable then is stable now. Else the version that is, "" for none.

    Raises:
        ConfigError: the file with the labels cannot be read.
    """
    stable = find_stable(push_destination)
    if stable != (baseline.stable, baseline.stable_identity):
        return stable[0]
    if baseline.skipped:
        # What could not be loaded once, and can be now, should have been compared.
        usable, _ = find_served(push_destination)
        compared = baseline.version if baseline.kind == "served" else ""
        if usable is not None and usable.version != compared:
            return usable.version
    return None


def _versions(push_destination: str) -> list[str]:
    """Numbered folders that may count as served, the best first."""
    if not push_destination or not fileio.isdir(push_destination):
        return []
    numbers = version_numbers(str(name).rstrip("/") for name in fileio.listdir(push_destination))
    labels = VersionLabels()
    path = f"{push_destination.rstrip('/')}/{MODELS_CONFIG}"
    if fileio.exists(path):
        with fileio.open(path, "r") as file:
            labels = VersionLabels.parse(file.read(), path)
    return [str(number) for number in labels.served_order(numbers)]


def _fault(path: str) -> str | None:
    """Why the SavedModel cannot be the baseline; None if it can."""
    if not _is_complete(path):
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


def _is_complete(path: str) -> bool:
    return bool(fileio.exists(f"{path}/saved_model.pb"))
