"""Assigns every example to a cluster and writes the splits that the specialists train on."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import numpy as np

from components.sequence_clusterer.assignment.random_partition import RandomPartition
from components.sequence_clusterer.assignment.segments import (
    cut_segments,
    visible_history,
    with_cluster,
)
from components.sequence_clusterer.assignment.split_writer import WriteSplits
from components.sequence_clusterer.sample.embedding import EmbedHistories, ReadRecords, SavedEncoder
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.raw_history import NOISE, TEST, TRAIN, VALIDATION

HELD_OUT_SPLITS = (VALIDATION, TEST)


CLUSTER, RANDOM = "cluster", "random"
"""What the users are parted by: the clusters, or a random partition of the same sizes."""


def part_split(partition: str, part: int, kind: str) -> str:
    """Name of the split of one part; `kind` is the split that it is taken from."""
    return f"{partition}_{part}_{kind}"


def output_splits(max_clusters: int, random_partition: bool) -> list[str]:
    """All splits that are written, whatever K was chosen."""
    return [
        *HELD_OUT_SPLITS,
        *(
            part_split(partition, part, kind)
            for partition in ((CLUSTER, RANDOM) if random_partition else (CLUSTER,))
            for part in range(max_clusters)
            for kind in (TRAIN, VALIDATION)
        ),
    ]


def write_cluster_splits(
    pipeline: beam.Pipeline,
    *,
    files: dict[str, list[str]],
    encoder: SavedEncoder,
    batch_size: int,
    geometry: ClusterGeometry,
    partition: RandomPartition | None,
    split_directories: dict[str, str],
    temporary: str,
) -> None:
    """Embeds, assigns and writes in one pass over the data.

    Args:
        pipeline: a Beam pipeline that has not been run; it is run here.
        files: TFRecord files of the splits train, validation and test.
        encoder: embeds the histories.
        batch_size: histories per call of the encoder.
        geometry: the fitted clusters.
        partition: the control, if it is wanted.
        split_directories: where each split of `output_splits` goes. A split without a record
            still gets a file.
        temporary: a directory for unfinished files, on the same storage as the splits.
    """
    with pipeline:
        _ = (
            pipeline
            | "Files"
            >> beam.Create([(split, path) for split, paths in files.items() for path in paths])
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(ReadRecords())
            | "ToAssign" >> beam.ParDo(_ToAssign(partition))
            | "Embed" >> EmbedHistories(encoder, batch_size, geometry.representation)
            | "Assign" >> beam.ParDo(_Assign(geometry))
            | "Write" >> WriteSplits(split_directories, temporary)
        )


_Payload = tuple[str, bytes, int | None]
"""Split, example to write, and the part of its user in the random partition, if there is one."""


class _ToAssign(beam.DoFn):
    """(split, record) -> (payload, history that may decide its cluster)."""

    def __init__(self, partition: RandomPartition | None):
        self._partition = partition

    def process(self, element: tuple[str, bytes]) -> Iterator[tuple[_Payload, bytes]]:
        split, record = element
        part = None if self._partition is None else self._partition.part_of(record)
        if split == TRAIN:
            for segment in cut_segments(record):
                yield (split, segment.example, part), segment.visible
        else:
            yield (split, record, part), visible_history(record)


class _Assign(beam.DoFn):
    """([payload], embeddings) -> (output split, example with its cluster)."""

    def __init__(self, geometry: ClusterGeometry):
        self._geometry = geometry

    def process(self, element: tuple[list[_Payload], np.ndarray]) -> Iterator[tuple[str, bytes]]:
        payloads, embeddings = element
        clusters = self._geometry.assign(embeddings).tolist()
        for (split, example, part), cluster in zip(payloads, clusters, strict=True):
            # Users of no cluster are left to the global encoder: they train no specialist, and are
            # in no part of the control either, whose parts would be larger otherwise.
            noise = cluster == NOISE
            record = with_cluster(example, cluster, NOISE if noise and part is not None else part)
            if split in HELD_OUT_SPLITS:
                yield split, record
            if split == TEST or noise:
                continue
            yield part_split(CLUSTER, cluster, split), record
            if part is not None:
                yield part_split(RANDOM, part, split), record
