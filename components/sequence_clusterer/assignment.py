"""Assigns every example to a cluster and writes the splits that the specialists train on."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import numpy as np

from components.sequence_clusterer.embedding import EmbedHistories, ReadRecords
from components.sequence_clusterer.segments import cut_segments, visible_history, with_cluster
from components.sequence_clusterer.split_writer import WriteSplits
from trainer.histories import NOISE, TEST, TRAIN, VALIDATION
from trainer.membership import ClusterGeometry

HELD_OUT_SPLITS = (VALIDATION, TEST)


def cluster_split(cluster: int, kind: str) -> str:
    """Name of a per-cluster split; `kind` is the split that it is a part of."""
    return f"cluster_{cluster}_{kind}"


def output_splits(max_clusters: int) -> list[str]:
    """All splits that are written, whatever K was chosen."""
    return [
        *HELD_OUT_SPLITS,
        *(
            cluster_split(cluster, kind)
            for cluster in range(max_clusters)
            for kind in (TRAIN, VALIDATION)
        ),
    ]


def write_cluster_splits(
    pipeline: beam.Pipeline,
    files: dict[str, list[str]],
    model_path: str,
    batch_size: int,
    geometry: ClusterGeometry,
    split_directories: dict[str, str],
    temporary: str,
) -> None:
    """Embeds, assigns and writes in one pass over the data.

    Args:
        pipeline: a Beam pipeline that has not been run; it is run here.
        files: TFRecord files of the splits train, validation and test.
        model_path: the encoder's SavedModel.
        batch_size: histories per call of the encoder.
        geometry: the fitted clusters.
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
            | "ToAssign" >> beam.ParDo(_ToAssign())
            | "Embed" >> EmbedHistories(model_path, batch_size, geometry.representation)
            | "Assign" >> beam.ParDo(_Assign(geometry))
            | "Write" >> WriteSplits(split_directories, temporary)
        )


class _ToAssign(beam.DoFn):
    """(split, record) -> ((split, example to write), history that may decide its cluster)."""

    def process(self, element: tuple[str, bytes]) -> Iterator[tuple[tuple[str, bytes], bytes]]:
        split, record = element
        if split == TRAIN:
            for segment in cut_segments(record):
                yield (split, segment.example), segment.visible
        else:
            yield (split, record), visible_history(record)


class _Assign(beam.DoFn):
    """([(split, example)], embeddings) -> (output split, example with its cluster)."""

    def __init__(self, geometry: ClusterGeometry):
        self._geometry = geometry

    def process(
        self, element: tuple[list[tuple[str, bytes]], np.ndarray]
    ) -> Iterator[tuple[str, bytes]]:
        examples, embeddings = element
        clusters = self._geometry.assign(embeddings).tolist()
        for (split, example), cluster in zip(examples, clusters, strict=True):
            record = with_cluster(example, cluster)
            if split in HELD_OUT_SPLITS:
                yield split, record
            # Users of no cluster are left to the global encoder: they train no specialist.
            if split != TEST and cluster != NOISE:
                yield cluster_split(cluster, split), record
