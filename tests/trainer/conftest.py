"""A tiny shop: raw histories on disk and the Transform graph over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tfx.utils import io_utils
from tfx_bsl.public import tfxio

import schema
import trainer  # noqa: F401  (Keras switches first)
from trainer.preprocessing import preprocessing_fn

DAY = 86_400


class TinyShop(NamedTuple):
    train: list[str]
    validation: list[str]
    graph: Any
    graph_dir: str
    raw: list[bytes]  # the validation histories


def raw_history(**values: Sequence[Any]) -> bytes:
    """A serialized tf.Example; the type of each feature follows from its values."""

    features = {}
    for name, value in values.items():
        array = np.asarray(value)
        if array.dtype.kind in "US" or not array.size:
            kind = {"bytes_list": tf.train.BytesList(value=[str(v).encode() for v in value])}
        elif array.dtype.kind == "f":
            kind = {"float_list": tf.train.FloatList(value=array)}
        else:
            kind = {"int64_list": tf.train.Int64List(value=array)}
        features[name] = tf.train.Feature(**kind)
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write_records(path: Path, records: Sequence[bytes]) -> str:

    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for record in records:
            writer.write(record)
    return str(path)


def transform_graph(directory: Path, train_file: str) -> Any:
    """Runs Transform's analysis over raw records, as the pipeline does."""

    proto = io_utils.SchemaReader().read(str(Path(schema.__file__).parent / "history.pbtxt"))
    source = tfxio.TFExampleRecord(train_file, schema=proto)
    with beam.Pipeline() as pipeline, tft_beam.Context(temp_dir=str(directory / "tmp")):
        data = pipeline | source.BeamSource()
        graph = (data, source.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(preprocessing_fn)
        graph | tft_beam.WriteTransformFn(str(directory / "graph"))
        raw = str(directory / "graph" / tft.TFTransformOutput.RAW_METADATA_DIR)
        tft.DatasetMetadata(proto) | tft_beam.WriteMetadata(raw, pipeline)
    return tft.TFTransformOutput(str(directory / "graph"))


@pytest.fixture(scope="session")
def tiny_shop(tmp_path_factory: pytest.TempPathFactory) -> TinyShop:
    """60 users of 12 events over 20 items; each user walks around one of two circles of items,
    and buys every third item again."""
    directory = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(0)
    train, validation = [], []
    for user in range(60):
        group, at = user % 2, int(rng.integers(10))
        items: list[int] = []
        for step in range(13):
            if step % 3 == 2:
                items.append(items[-1])
            else:
                at = (at + 1) % 10
                items.append(group * 10 + at)
        times = (np.arange(13) * DAY + user * 60).tolist()
        common = {
            "user_id": [f"u{user}"],
            "history_length": ["10-19"],
        }
        ids = [f"item,{i:03d}" for i in items]
        columns = {
            "item_ids": ids[:12],
            "actions": ["buy" if i % 4 else "view" for i in range(12)],
            "timestamps": times[:12],
            "prices": [float(1 + i) for i in items[:12]],
            "quantities": [1.0] * 12,
            "categories": [f"c{i % 3}" for i in items[:12]],
        }
        train.append(raw_history(**common, **columns, first_target=[0]))
        validation.append(
            raw_history(**common, **columns, first_target=[12], target_item_ids=[ids[12]])
        )
    train_file = write_records(directory / "train.gz", train)
    validation_file = write_records(directory / "validation.gz", validation)
    graph = transform_graph(directory, train_file)
    return TinyShop([train_file], [validation_file], graph, str(directory / "graph"), validation)
