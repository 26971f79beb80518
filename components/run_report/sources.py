"""Artifact folders -> `ReportInputs`. A part that a run does not have is left out, with a note."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pyarrow.parquet as pq
import pydantic
from tensorflow.io import gfile

from components.gates.config import GatesConfig
from components.gates.verdict import read_verdict
from components.run_report.clustering_figures import ClusteringFigures
from components.run_report.figure_base import Figures
from components.run_report.inputs import (
    ClusterProfile,
    Combination,
    Comparison,
    DataQualityFigures,
    LiftedItem,
    MapPoint,
    ReportInputs,
    TrainingRun,
    WorthFigures,
)
from trainer.shown_text import LONGEST_TITLE, shown_text

F = TypeVar("F", bound=Figures)


class UnreadableArtifactError(ValueError):
    """A file of an artifact is not what it should be. The message names the file and the fault."""


@dataclasses.dataclass(frozen=True)
class RunFolders:
    """Where the artifacts of a run lie: folder paths or URIs, None where there is no such part."""

    data_quality: str | None = None
    encoder_run: str | None = None
    specialist_runs: tuple[str, ...] = ()
    cluster_evaluation: str | None = None
    comparison: str | None = None
    evaluation: str | None = None
    blessing: str | None = None
    infra_blessing: str | None = None
    items: str | None = None
    pushed_model: str | None = None
    baseline: str | None = None


def collect(
    folders: RunFolders,
    *,
    run_name: str,
    gates: GatesConfig,
    created: str | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> ReportInputs:
    """Reads the artifacts of a run into what the page shows.

    Args:
        folders: the artifact folders.
        run_name: the run's name, the title of the page.
        gates: the settings that the Evaluator was given.
        created: ISO 8601 time of the report; now when not given.
        provenance: versions, settings, fingerprints; shown as they are.

    Raises:
        UnreadableArtifactError: if a file exists but does not hold what it should.
    """
    notes: list[str] = []
    if not folders.evaluation or not gfile.exists(folders.evaluation):
        notes.append("No gate decisions: the run has no model evaluation.")
    profiles, unnamed = _profiles(folders.cluster_evaluation)
    titles, listed, titled = _items(folders.items, unnamed)
    specialists = [
        run for folder in folders.specialist_runs if (run := _training(folder, "specialist", notes))
    ]
    return ReportInputs(
        run_name=run_name,
        created=created or dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        verdict=read_verdict(
            gates,
            evaluation=folders.evaluation,
            blessing=folders.blessing,
            infra_blessing=folders.infra_blessing,
            pushed_model=folders.pushed_model,
            baseline=folders.baseline,
        ),
        data_quality=_read(
            DataQualityFigures, folders.data_quality, "data_quality.json", "data quality", notes
        ),
        quarantined=_quarantined(folders.data_quality),
        encoder=_training(folders.encoder_run, "global encoder", notes),
        specialists=specialists,
        clustering=_read(
            ClusteringFigures, folders.cluster_evaluation, "evaluation.json", "clustering", notes
        ),
        cluster_map=_map(folders.cluster_evaluation),
        profiles=[_with_titles(profile, titles) for profile in profiles],
        comparison=_read(Comparison, folders.comparison, "comparison.json", "comparison", notes),
        combination=_read(
            Combination, folders.comparison, "combination.json", "combination", notes
        ),
        worth=_read(WorthFigures, folders.comparison, "worth.json", "worth of the clusters", notes),
        items_titled=titled,
        items_listed=listed,
        provenance=dict(provenance or {}),
        notes=notes,
    )


def _bytes(folder: str | None, name: str) -> bytes | None:
    """The file's content; None when there is no such folder or file."""
    if not folder:
        return None
    path = f"{folder.rstrip('/')}/{name}"
    if not gfile.exists(path):
        return None
    with gfile.GFile(path, "rb") as file:
        return bytes(file.read())


def _json(folder: str | None, name: str) -> Any:
    """The parsed file; None when there is none."""
    content = _bytes(folder, name)
    if content is None:
        return None
    try:
        return json.loads(content)
    except ValueError as error:
        raise UnreadableArtifactError(f"{folder}/{name} is not JSON: {error}") from None


def _parse(model: type[F], value: Any, where: str) -> F:
    """Validated figures, or an error that names file and field."""
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise UnreadableArtifactError(f"{where}: {field}: {first['msg']}") from None


def _read(model: type[F], folder: str | None, name: str, part: str, notes: list[str]) -> F | None:
    """The figures of one file; a note when the run has none."""
    value = _json(folder, name)
    if value is None:
        notes.append(f"No {part}: the run has no {name}.")
        return None
    return _parse(model, value, f"{folder}/{name}")


def _training(folder: str | None, part: str, notes: list[str]) -> TrainingRun | None:
    return _read(TrainingRun, folder, "training.json", f"training curve of a {part}", notes)


def _quarantined(folder: str | None) -> int | None:
    """Rows in the quarantine file (a quoted row may span lines); None when there is no file."""
    content = _bytes(folder, "quarantine.csv")
    if content is None:
        return None
    # The limit is the process's; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), len(content) + 1))
    reader = csv.reader(io.StringIO(content.decode("utf-8", "replace"), newline=""))
    return max(sum(1 for row in reader if row) - 1, 0)


def _map(folder: str | None) -> list[MapPoint]:
    content = _bytes(folder, "map.parquet")
    if content is None:
        return []
    table = pq.read_table(io.BytesIO(content), columns=["x", "y", "cluster"])
    return [MapPoint.model_construct(**row) for row in table.to_pylist()]


def _profiles(folder: str | None) -> tuple[list[ClusterProfile], set[str]]:
    """The profiles in order of their cluster, and the ids of items that come without a title."""
    value = _json(folder, "profiles.json") or {}
    profiles = [
        _parse(ClusterProfile, entry, f"{folder}/profiles.json")
        for entry in value.get("clusters", [])
    ]
    unnamed = {i.item_id for profile in profiles for i in profile.top_items if not i.title}
    return sorted(profiles, key=lambda profile: profile.cluster), unnamed


def _items(folder: str | None, wanted: set[str]) -> tuple[dict[str, str], int | None, int | None]:
    """Titles of the wanted items, and how many items are listed and have a title."""
    content = _bytes(folder, "items.parquet")
    if content is None:
        return {}, None, None
    table = pq.read_table(io.BytesIO(content), columns=["item_id", "title"])
    ids, titles = (table.column(name).to_pylist() for name in ("item_id", "title"))
    found = {
        item: title for item, title in zip(ids, titles, strict=True) if title and item in wanted
    }
    return found, len(ids), sum(1 for title in titles if title)


def _with_titles(profile: ClusterProfile, titles: Mapping[str, str]) -> ClusterProfile:
    items = [_titled(item, titles) for item in profile.top_items]
    return profile.model_copy(update={"top_items": items})


def _titled(item: LiftedItem, titles: Mapping[str, str]) -> LiftedItem:
    title = item.title or titles.get(item.item_id)
    return item.model_copy(update={"title": title and shown_text(title, LONGEST_TITLE)})
