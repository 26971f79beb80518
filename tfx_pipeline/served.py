"""Exported and served models on disk: where they lie, and what they carry beside the graph."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from tfx_pipeline.inputs import InputError

MODEL_FILE = "saved_model.pb"
EXTRA = "assets.extra"


def newest_version(folder: Path) -> Path | None:
    """The served model with the highest version number below a folder; None if there is none."""
    if not folder.is_dir():
        return None
    versions = [
        path for path in folder.iterdir() if path.name.isdecimal() and (path / MODEL_FILE).is_file()
    ]
    return max(versions, key=lambda path: int(path.name), default=None)


def find_model(folder: Path) -> Path:
    """The SavedModel that a user means by a folder.

    Args:
        folder: a SavedModel itself, a folder of numbered versions, or a run directory.

    Raises:
        InputError: if there is no model in any of these places.
    """
    if (folder / MODEL_FILE).is_file():
        return folder
    for place in (folder, folder / "serving"):
        found = newest_version(place)
        if found is not None:
            return found
    reason = "there is no such folder" if not folder.exists() else "it holds no SavedModel"
    raise InputError(
        f"no model at {str(folder)!r}: {reason}; give a run directory whose model was pushed, "
        "its serving/ folder, or a SavedModel"
    )


def model_id(model: Path) -> str | None:
    """The content id that a model was exported with; None for a model of another making."""
    description = model / EXTRA / "model.json"
    if not description.is_file():
        return None
    return json.loads(description.read_text(encoding="utf-8")).get("id")


@functools.cache
def item_titles(model: Path) -> dict[str, str]:
    """Item id to title, as far as the model carries them; category and brand stand in for one."""
    catalogue = model / EXTRA / "items.parquet"
    if not catalogue.is_file():
        return {}
    import polars

    titles: dict[str, str] = {}
    for row in polars.read_parquet(catalogue).iter_rows(named=True):
        description = [row[name] for name in ("category", "brand") if row.get(name)]
        titles[row["item_id"]] = row.get("title") or ", ".join(description)
    return titles
