"""Writes records to many splits in one Beam transform.

One `WriteToTFRecord` a split costs a third of a second each in the local runner and compresses
in Python; with two splits a cluster that is most of the component's time.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator

import apache_beam as beam
import tensorflow as tf
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue
from tfx.dsl.io import fileio

# The examples are read a few times and then superseded: the fastest level is worth a larger file.
_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)

# A file that is written: the hash of its first record, and its temporary path.
_Shard = tuple[str, str]


class WriteSplits(beam.PTransform):
    """(split, record) -> a GZIP TFRecord file or more in the directory of the split.

    Files are named as TFX names them. A split without a record gets one empty file.
    """

    def __init__(self, directories: dict[str, str], temporary: str):
        """Takes the directory of each split and one for unfinished files, on the same storage."""
        super().__init__()
        self._directories = directories
        self._temporary = temporary

    def expand(self, records: beam.PCollection) -> beam.PCollection:
        """Bundles are written to temporary files, which get their names when all are there."""
        written = records | "WriteShards" >> beam.ParDo(_WriteShards(self._temporary))
        splits = records.pipeline | "Splits" >> beam.Create(list(self._directories.items()))
        return (
            {"shards": written, "directory": splits}
            | beam.CoGroupByKey()
            | beam.MapTuple(name_shards)
        )


class _WriteShards(beam.DoFn):
    """Writes a bundle, one file a split; yields (split, shard)."""

    def __init__(self, temporary: str):
        self._temporary = temporary

    def start_bundle(self) -> None:
        """Forgets what an earlier attempt at the bundle has written."""
        self._writers: dict[str, tf.io.TFRecordWriter] = {}
        self._shards: dict[str, _Shard] = {}

    def process(self, element: tuple[str, bytes]) -> None:
        """Writes one record."""
        split, record = element
        if split not in self._writers:
            path = f"{self._temporary}/{uuid.uuid4().hex}.gz"
            self._writers[split] = tf.io.TFRecordWriter(path, _OPTIONS)
            self._shards[split] = (hashlib.blake2b(record).hexdigest(), path)
        self._writers[split].write(record)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Closes the files and hands them on."""
        window = GlobalWindow()
        for split, writer in self._writers.items():
            writer.close()
            shard = (split, self._shards[split])
            yield WindowedValue(shard, window.max_timestamp(), [window])


def name_shards(split: str, found: dict[str, Iterable]) -> str:
    """Gives the files of a split their final names; returns the split.

    Shards are ordered by their content, so that the same input gives the same files.
    """
    (directory,) = found["directory"]
    paths = [path for _, path in sorted(found["shards"])]
    fileio.makedirs(directory)
    count = max(len(paths), 1)
    names = [f"{directory}/data_tfrecord-{n:05d}-of-{count:05d}.gz" for n in range(count)]
    if not paths:
        tf.io.TFRecordWriter(names[0], _OPTIONS).close()
    for path, name in zip(paths, names, strict=False):
        # A repeated attempt finds some files moved already.
        if fileio.exists(path) or not fileio.exists(name):
            fileio.rename(path, name, overwrite=True)
    return split
