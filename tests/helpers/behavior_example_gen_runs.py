"""Runs BehaviorExampleGen's executor on small files, without a TFX pipeline around it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts
from tfx_bsl.coders import example_coder

from components.artifacts import DataQuality, ItemCatalogue
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.executor import Executor
from trainer.evaluation_config import EvaluationConfig

History = dict[str, list[Any]]


@dataclass
class Ingested:
    """The outputs of one execution."""

    folder: Path
    quality: dict[str, Any]
    quarantine: list[dict[str, str]]
    items: pl.DataFrame
    splits: Splits
    later: Splits
    """Of the output `later_events`."""

    def history(self, split: str, user: str) -> History | None:
        """The Example of a user."""
        found = [h for h in self.splits[split] if h["user_id"] == [user]]
        assert len(found) < 2
        return found[0] if found else None


def ingest(
    folder: Path,
    events: str | Path | Sequence[str | Path],
    items: str | Path | None = None,
    beam_args: Sequence[str] = (),
    evaluation: Mapping[str, Any] | None = None,
    behavior_actions: Sequence[str] = (),
    **settings: Any,
) -> Ingested:
    """Runs the executor.

    Args:
        folder: for the outputs.
        events: path, paths, or the text of a CSV file.
        items: path, or the text of a CSV file.
        beam_args: of the Beam pipeline.
        evaluation: settings of EvaluationConfig.
        behavior_actions: of the behaviour head.
        settings: of DataConfig.
    """
    if isinstance(events, str | Path):
        events = [_path(folder, "events.csv", events)]
    items_files = [] if items is None else [_path(folder, "items.csv", items)]
    outputs: dict[str, list[Any]] = {
        "examples": [standard_artifacts.Examples()],
        "data_quality": [DataQuality()],
        "items": [ItemCatalogue()],
    }
    if behavior_actions:
        outputs["later_events"] = [standard_artifacts.Examples()]
    out = folder / "out"
    for name, [artifact] in outputs.items():
        artifact.uri = str(out / name / "1")
    Executor(Executor.Context(beam_pipeline_args=list(beam_args))).Do(
        {},
        outputs,
        {
            "input_files": json.dumps([str(path) for path in events]),
            "items_files": json.dumps(items_files),
            "config": DataConfig.from_dict(settings).to_json(),
            "evaluation": EvaluationConfig.from_dict(evaluation or {}).to_json(),
            "behavior_actions": json.dumps(list(behavior_actions)),
        },
    )
    [examples] = outputs["examples"]
    assert artifact_utils.decode_split_names(examples.split_names) == [
        "train",
        "validation",
        "test",
    ]
    assert not (out / "examples/1/scratch").exists()
    return Ingested(
        out,
        json.loads((out / "data_quality/1/data_quality.json").read_text()),
        read_quarantine(out / "data_quality/1/quarantine.csv"),
        pl.read_parquet(out / "items/1/items.parquet"),
        Splits(out / "examples/1"),
        Splits(out / "later_events/1"),
    )


def read_quarantine(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


class Splits(dict[str, list[History]]):
    """The Examples of each split, decoded when asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, split: str) -> list[History]:
        files = sorted((self._folder / f"Split-{split}").iterdir())
        assert files
        records = tf.data.TFRecordDataset([str(path) for path in files], compression_type="GZIP")
        serialized = list(records.as_numpy_iterator())
        self[split] = []
        if serialized:
            batch = example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(serialized)
            columns = {name: _values(batch.column(name)) for name in batch.schema.names}
            self[split] = [
                {name: values[row] for name, values in columns.items()}
                for row in range(batch.num_rows)
            ]
        return self[split]


def table(rows: Sequence[Sequence[Any]], header: str = "user_id,item_id,timestamp") -> str:
    """CSV text."""
    return "\n".join([header, *(",".join(str(value) for value in row) for row in rows)]) + "\n"


def shop(users: int = 6, days: int = 20, extra: Mapping[str, Any] | None = None) -> list[list[Any]]:
    """Rows of a small regular log: one event a user and day, from 2020-01-01, five items."""
    rows = []
    for day in range(days):
        for user in range(users):
            moment = f"2020-01-{day + 1:02d}T10:{user:02d}:00"
            rows.append([f"u{user}", f"i{(day + user) % 5}", moment, *(extra or {}).values()])
    return rows


def _path(folder: Path, name: str, source: str | Path) -> str:
    if isinstance(source, Path):
        return str(source)
    path = folder / name
    path.write_text(source, encoding="utf-8")
    return str(path)


def _values(column: pa.Array) -> list[Any]:
    values = pl.Series(column).to_list()
    return [[v.decode() if isinstance(v, bytes) else v for v in row] for row in values]
