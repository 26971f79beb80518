"""Artifact folders -> `ReportInputs`. A part that a run does not have is left out, with a note."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Mapping
from typing import Any, TypeVar

import pyarrow.parquet as pq
from tensorflow.io import gfile

from components.behavior_example_gen.quality_record import DataQualityRecord
from components.cluster_combiner.record import CombinationRecord, ComparisonRecord, WorthRecord
from components.gates.config import GatesConfig
from components.gates.verdict import read_verdict
from components.run_report.inputs import MapPoint, ReportInputs
from components.sequence_clusterer.evaluation_record import EvaluationRecord
from components.sequence_clusterer.profiles_record import ClusterProfile, LiftedItem, ProfilesRecord
from trainer.artifact_record import RecordFile
from trainer.shown_text import LONGEST_TITLE, shown_text
from trainer.training.training_record import TrainingRecord

R = TypeVar("R", bound=RecordFile)


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
        data_quality=_read(DataQualityRecord, folders.data_quality, "data quality", notes),
        quarantined=_quarantined(folders.data_quality),
        encoder=_training(folders.encoder_run, "global encoder", notes),
        specialists=specialists,
        clustering=_read(EvaluationRecord, folders.cluster_evaluation, "clustering", notes),
        cluster_map=_map(folders.cluster_evaluation),
        profiles=[_with_titles(profile, titles) for profile in profiles],
        comparison=_read(ComparisonRecord, folders.comparison, "comparison", notes),
        combination=_read(CombinationRecord, folders.comparison, "combination", notes),
        worth=_read(WorthRecord, folders.comparison, "worth of the clusters", notes),
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


def _read(kind: type[R], folder: str | None, part: str, notes: list[str]) -> R | None:
    """The record of one file; a note when the run has none."""
    record = kind.find(folder) if folder else None
    if record is None:
        notes.append(f"No {part}: the run has no {kind.FILE_NAME}.")
    return record


def _training(folder: str | None, part: str, notes: list[str]) -> TrainingRecord | None:
    return _read(TrainingRecord, folder, f"training curve of a {part}", notes)


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
    record = ProfilesRecord.find(folder) if folder else None
    profiles = record.clusters if record else []
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
    return item.model_copy(update={"title": shown_text(title, LONGEST_TITLE) if title else ""})
