"""Raw histories made by hand, on disk, and the Transform graph over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tfx.utils import io_utils
from tfx_bsl.public import tfxio

import schema
from trainer.preprocessing import preprocessing_fn

DAY = 86_400


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
