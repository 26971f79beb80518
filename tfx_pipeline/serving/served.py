"""Exported and served models on disk: where they lie, and what they carry beside the graph."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from tfx_pipeline.paths.inputs import InputError
from trainer.serving.version_labels import MODELS_CONFIG, VersionLabels, version_numbers

MODEL_FILE = "saved_model.pb"
EXTRA = "assets.extra"


def read_labels(folder: Path) -> VersionLabels:
    """The labels of the versions in a folder; none where there is no `models.config`."""
    path = folder / MODELS_CONFIG
    if not path.is_file():
        return VersionLabels()
    return VersionLabels.parse(path.read_text(encoding="utf-8"), str(path))


def served_version(folder: Path) -> Path | None:
    """The version in a folder that is served: the stable one, the newest where none is labelled.

    Returns:
        Its folder; None if there is no version that may be served.

    Raises:
        ConfigError: if `models.config` cannot be read.
    """
    if not folder.is_dir():
        return None
    models = [path.name for path in folder.iterdir() if (path / MODEL_FILE).is_file()]
    order = read_labels(folder).served_order(version_numbers(models))
    return folder / str(order[0]) if order else None


def find_model(folder: Path) -> Path:
    """The SavedModel that a user means by a folder.

    Args:
        folder: a SavedModel itself, a folder of numbered versions, or a run directory; of several
            versions the stable one.

    Raises:
        InputError: if there is no model in any of these places.
    """
    if (folder / MODEL_FILE).is_file():
        return folder
    for place in (folder, folder / "serving"):
        found = served_version(place)
        if found is not None:
            return found
    reason = "there is no such folder" if not folder.exists() else "it holds no SavedModel"
    raise InputError(
        f"no model at {str(folder)!r}: {reason}; give a run directory whose model was pushed, "
        "its serving/ folder, or a SavedModel"
    )


def read_description(model: Path) -> dict[str, Any]:
    """What a model says about itself; nothing where it is of another making.

    Raises:
        InputError: its `model.json` is damaged.
    """
    path = model / EXTRA / "model.json"
    if not path.is_file():
        return {}
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{str(path)!r} is damaged: {error}") from None
    if not isinstance(description, dict):
        raise InputError(f"{str(path)!r} is damaged: it holds no object")
    return description


def model_id(model: Path) -> str | None:
    """The content id that a model was exported with; None for a model of another making.

    Raises:
        InputError: its `model.json` is damaged.
    """
    return read_description(model).get("id")


@functools.cache
def item_titles(model: Path) -> dict[str, str]:
    """Item id to title, as far as the model carries them; category and brand stand in for one.

    Raises:
        InputError: the model's catalogue is damaged.
    """
    catalogue = model / EXTRA / "items.parquet"
    if not catalogue.is_file():
        return {}
    import polars

    try:
        rows = polars.read_parquet(catalogue)
    except (polars.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{str(catalogue)!r} cannot be read: {error}") from None
    titles: dict[str, str] = {}
    for row in rows.iter_rows(named=True):
        description = [row[name] for name in ("category", "brand") if row.get(name)]
        titles[row["item_id"]] = row.get("title") or ", ".join(description)
    return titles
