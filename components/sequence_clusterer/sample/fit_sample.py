"""The users that the clusters are fitted on: a sample of the train split, embedded in Beam."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems
from tfx.dsl.io import fileio

from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.errors import ClusteringError
from components.sequence_clusterer.sample.embedding import EmbedHistories, ReadRecords, SavedEncoder
from trainer.raw_history import TRAIN, USER_ID

HISTORY_SCHEMA = pa.schema(
    [
        ("user", pa.int64()),
        ("item_ids", pa.list_(pa.string())),
        ("actions", pa.list_(pa.string())),
        ("timestamps", pa.list_(pa.int64())),
        ("prices", pa.list_(pa.float32())),
        ("quantities", pa.list_(pa.float32())),
        ("categories", pa.list_(pa.string())),
    ]
)
"""What profiles read of a user; `user` is a hash."""
_SCHEMA = pa.schema(
    [*HISTORY_SCHEMA, ("user_id", pa.string()), ("embedding", pa.list_(pa.float32()))]
)
# Users a batch when histories are read back: bounds memory whatever the size of the sample.
_READ_USERS = 4_096


@dataclasses.dataclass(frozen=True)
class FitSample:
    """Embedded users of the train split, in the order of their hash.

    Attributes:
        users: int64 [n], hash of each user's id.
        user_ids: the ids themselves, str [n].
        embeddings: float32 [n, dim], of the whole train histories.
        population: users in the train split.
        files: Parquet files with the histories (columns of `_SCHEMA`).
    """

    users: np.ndarray
    user_ids: pa.Array
    embeddings: np.ndarray
    population: int
    files: list[str]

    def histories(self) -> Iterator[pa.Table]:
        """The sampled histories in batches: user, item_ids, actions, timestamps, and prices,
        quantities and categories, null where a history has none.
        """
        for path in self.files:
            with FileSystems.open(path) as file:
                batches = pq.ParquetFile(file).iter_batches(
                    _READ_USERS, columns=HISTORY_SCHEMA.names
                )
                for batch in batches:
                    yield pa.Table.from_batches([batch])


def user_hash(user_id: bytes, seed: int) -> int:
    """A number in [0, 2^63) that depends on the user id and the seed only."""
    digest = hashlib.blake2b(user_id, digest_size=8, key=seed.to_bytes(4, "big"))
    return int.from_bytes(digest.digest(), "big") >> 1


def history_hash(record: bytes, seed: int) -> int:
    """`user_hash` of the user of a serialized history."""
    example = tf.train.Example.FromString(record)
    (user_id,) = example.features.feature[USER_ID].bytes_list.value
    return user_hash(user_id, seed)


def draw_fit_sample(
    pipeline: beam.Pipeline,
    files: list[str],
    encoder: SavedEncoder,
    directory: str,
    config: ClusteringConfig,
) -> FitSample:
    """Embeds at most `config.fit_sample` users, those with the smallest hashes.

    Args:
        pipeline: a Beam pipeline that has not been run; it is run here.
        files: TFRecord files of the train split, one history a user.
        encoder: embeds the histories.
        directory: a folder for temporary files that all workers reach.
        config: sample size, representation, seed and batch size.

    Raises:
        ClusteringError: there is no history at all, or an embedding is not finite.
    """
    with pipeline:
        hashes = (
            pipeline
            | "FilesToHash" >> beam.Create([(TRAIN, path) for path in files])
            | "ReadToHash" >> beam.ParDo(ReadRecords())
            | "Hash" >> beam.Map(_hash_of, config.seed)
        )
        _ = (
            hashes
            | "Count" >> beam.combiners.Count.Globally()
            | "WriteCount" >> beam.io.WriteToText(f"{directory}/users", shard_name_template="")
        )
        # The histories are read twice, so that only hashes have to be gathered in one place.
        largest = (
            hashes
            | "Smallest" >> beam.combiners.Top.Smallest(config.fit_sample)
            | "Largest" >> beam.Map(_largest)
        )
        _ = (
            pipeline
            | "FilesToEmbed" >> beam.Create([(TRAIN, path) for path in files])
            | "ReadToEmbed" >> beam.ParDo(ReadRecords())
            | "Sample" >> beam.ParDo(_SampleUsers(config.seed), beam.pvalue.AsSingleton(largest))
            | "Embed" >> EmbedHistories(encoder, config.batch_size, config.representation)
            | "ToRows" >> beam.FlatMapTuple(_to_rows)
            | "WriteSample"
            >> beam.io.WriteToParquet(
                f"{directory}/sample", _SCHEMA, codec="snappy", file_name_suffix=".parquet"
            )
        )
    return _read_sample(directory)


def _hash_of(element: tuple[str, bytes], seed: int) -> int:
    return history_hash(element[1], seed)


def _largest(hashes: list[int]) -> int:
    return max(hashes, default=-1)


class _SampleUsers(beam.DoFn):
    """Keeps the users up to a hash; the payload to come is (hash, record)."""

    def __init__(self, seed: int):
        self._seed = seed

    def process(
        self, element: tuple[str, bytes], largest: int
    ) -> Iterator[tuple[tuple[int, bytes], bytes]]:
        _, record = element
        user = history_hash(record, self._seed)
        if user <= largest:
            yield (user, record), record


def _to_rows(payloads: list[tuple[int, bytes]], embeddings: np.ndarray) -> Iterator[dict[str, Any]]:
    """Rows of `_SCHEMA`."""
    for (user, record), embedding in zip(payloads, embeddings, strict=True):
        features = tf.train.Example.FromString(record).features.feature
        (user_id,) = features[USER_ID].bytes_list.value
        row: dict[str, Any] = {"user": user, "user_id": user_id.decode(), "embedding": embedding}
        for name in HISTORY_SCHEMA.names[1:]:
            kind = features[name].WhichOneof("kind") if name in features else None
            values = list(getattr(features[name], kind).value) if kind else None
            row[name] = values or None
        yield row


def _read_sample(directory: str) -> FitSample:
    """Reads hashes and embeddings back, in the order of the hashes."""
    with fileio.open(f"{directory}/users", "r") as file:
        population = int(file.read())
    if not population:
        raise ClusteringError(
            "no user has a history in the train split, so there is nothing to cluster: check the "
            "minimum counts and the cut of the split (data settings)"
        )
    files = sorted(fileio.glob(f"{directory}/sample*.parquet"))
    users, embeddings = read_embeddings(files)
    if not np.isfinite(embeddings).all():
        raise ClusteringError(
            "the encoder gave embeddings that are not finite numbers: its training has probably "
            "diverged; lower its learning rate"
        )
    return FitSample(users, _read_user_ids(files), embeddings, population, files)


def _read_user_ids(files: list[str]) -> pa.Array:
    """The column `user_id`, in the order of the hashes."""
    tables = []
    for path in files:
        with FileSystems.open(path) as file:
            tables.append(pq.read_table(file, columns=["user", "user_id"]))
    table = pa.concat_tables(tables)
    order = np.argsort(table["user"].to_numpy(), kind="stable")
    return table["user_id"].combine_chunks().take(pa.array(order))


def read_embeddings(files: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Reads the columns `user` and `embedding` of Parquet files, in the order of the hashes.

    Returns:
        int64 [n] and float32 [n, dim]; [0] and [0, 0] if there is no row.
    """
    users = [np.zeros(0, dtype=np.int64)]
    embeddings = []
    for path in files:
        with FileSystems.open(path) as file:
            table = pq.read_table(file, columns=["user", "embedding"])
        if table.num_rows:
            users.append(table["user"].to_numpy())
            values = table["embedding"].combine_chunks()
            embeddings.append(values.flatten().to_numpy().reshape(table.num_rows, -1))
    all_users = np.concatenate(users)
    all_embeddings = np.concatenate(embeddings) if embeddings else np.zeros((0, 0), np.float32)
    order = np.argsort(all_users, kind="stable")
    return all_users[order], all_embeddings[order]
