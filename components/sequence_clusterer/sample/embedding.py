"""Reading histories and embedding them with an exported encoder, as Beam transforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.utils import shared
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.sequence_clusterer.errors import ClusteringError
from trainer.clusters.representation import LAST_STATE, POOLED, Representation

# Representation to the signature of the encoder that computes it, and its output.
_SIGNATURES: dict[Representation, tuple[str, str]] = {
    LAST_STATE: ("embed", "embedding"),
    **{kind: ("represent", str(kind)) for kind in POOLED},
}
# Encoder batches are taken from groups of so many, sorted by length, so that they pad little.
_BATCHES_PER_GROUP = 8
_READ_BATCH = 256


def split_files(examples: Artifact, split: str) -> list[str]:
    """The TFRecord files of a split, sorted.

    Raises:
        ClusteringError: the artifact has no such split.
    """
    names = artifact_utils.decode_split_names(examples.split_names)
    if split not in names:
        raise ClusteringError(
            f"the Examples to cluster have no split {split!r} (they have: {', '.join(names)})"
        )
    (directory,) = artifact_utils.get_split_uris([examples], split)
    return sorted(fileio.glob(f"{directory}/*"))


class ReadRecords(beam.DoFn):
    """(key, GZIP TFRecord file) -> (key, record) for every record."""

    def process(self, element: tuple[str, str]) -> Iterator[tuple[str, bytes]]:
        """Reads one file, record by record."""
        key, path = element
        # In batches, because each step of the iterator costs far more than a record.
        batches = tf.data.TFRecordDataset(path, "GZIP").batch(_READ_BATCH)
        for batch in batches.as_numpy_iterator():
            for record in batch:
                yield key, record


class SavedEncoder:
    """An exported encoder, loaded once a process by all pipelines that are given this object.

    Args:
        path: its SavedModel.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._shared = shared.Shared()

    def load(self) -> Any:
        """The SavedModel. Whoever uses it must hold it."""
        return self._shared.acquire(lambda: tf.saved_model.load(self._path))

    def signature(self, model: Any, name: str) -> Any:
        """A signature of what `load` gave.

        Raises:
            ClusteringError: the model has none of this name.
        """
        if name not in model.signatures:
            raise ClusteringError(
                f"the encoder model at {self._path} has no signature {name!r} "
                f"(it has: {', '.join(model.signatures) or 'none'})"
            )
        return model.signatures[name]


class EmbedHistories(beam.PTransform):
    """(payload, serialized history) -> ([payload], embeddings float32 [batch, dim]).

    Args:
        encoder: embeds them.
        batch_size: histories per call.
        representation: which embedding of a history.
    """

    def __init__(self, encoder: SavedEncoder, batch_size: int, representation: Representation):
        super().__init__()
        self._representation = representation
        self._encoder = encoder
        self._batch_size = batch_size

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        """Batches of a fixed size, because padding changes the last digits of an embedding."""
        group = self._batch_size * _BATCHES_PER_GROUP
        return (
            elements
            | "Batch" >> beam.BatchElements(min_batch_size=group, max_batch_size=group)
            | "Embed"
            >> beam.ParDo(_EmbedGroup(self._encoder, self._batch_size, self._representation))
        )


class _EmbedGroup(beam.DoFn):
    """Embeds a group of histories, batch by batch in the order of their lengths."""

    def __init__(self, encoder: SavedEncoder, batch_size: int, representation: Representation):
        self._encoder = encoder
        self._signature, self._output = _SIGNATURES[representation]
        self._batch_size = batch_size

    def setup(self) -> None:
        """Loads the model, once a process."""
        self._model = self._encoder.load()
        self._embed = self._encoder.signature(self._model, self._signature)

    def process(self, group: list[tuple[Any, bytes]]) -> Iterator[tuple[list[Any], np.ndarray]]:
        """Yields batches in the order of lengths, which is the same in every run."""
        # The serialized size stands for the number of events, at no cost.
        ordered = sorted(group, key=lambda element: len(element[1]))
        for start in range(0, len(ordered), self._batch_size):
            batch = ordered[start : start + self._batch_size]
            histories = tf.constant([history for _, history in batch])
            embeddings = self._embed(examples=histories)[self._output].numpy()
            yield [payload for payload, _ in batch], embeddings.astype(np.float32)
