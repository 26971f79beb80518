"""Drift within one log: the sampled users as of an earlier moment, and what they became.

The moment is the median time of the sampled users' events: half of what is known of them had
happened by then. Users with events on both sides of it are embedded again from what was known at
the moment. Two comparisons follow. *Assigned*: both embeddings go to the clusters of this run, so
users move, clusters do not; that is what a specialist's audience does. *Refitted*: as many clusters
are fitted to the earlier embeddings alone and compared with the clusters of this run, so that
clusters can split, merge, appear and vanish. Refitting moves borders even without drift: read it
beside the stability over resamples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import polars as pl
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score
from tfx.dsl.io import fileio

from components.sequence_clusterer.algorithms import make_algorithm
from components.sequence_clusterer.assignment.segments import history_before
from components.sequence_clusterer.choice.internal_measures import count_distinct
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.evaluation_record import ClusterTransitions, DriftRecord
from components.sequence_clusterer.lasting.drift import find_transitions
from components.sequence_clusterer.sample.embedding import EmbedHistories, ReadRecords, SavedEncoder
from components.sequence_clusterer.sample.fit_sample import FitSample, history_hash, read_embeddings
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.raw_history import TIMESTAMPS, TRAIN

_SCHEMA = pa.schema([("user", pa.int64()), ("embedding", pa.list_(pa.float32()))])
# Fewer users than this for each cluster tell nothing about flows between clusters.
_FEWEST_USERS_PER_CLUSTER = 5


def measure_drift(
    pipeline: beam.Pipeline,
    *,
    files: list[str],
    encoder: SavedEncoder,
    directory: str,
    sample: FitSample,
    algorithm: str,
    geometry: ClusterGeometry,
    config: ClusteringConfig,
) -> DriftRecord:
    """Compares the users' clusters now and at an earlier moment.

    Args:
        pipeline: a Beam pipeline that has not been run; it is run here if there is drift to see.
        files: TFRecord files of the train split.
        encoder: embeds the histories.
        directory: an existing folder for temporary files that all workers reach.
        sample: users embedded from their whole histories; the first `config.drift_sample` count.
        algorithm: what is refitted.
        geometry: the clusters of this run.
        config: seed, sizes and what `algorithm` needs.

    Returns:
        The drift, clusters of the moment as the old ones; or the reason why none was measured.
    """
    if geometry.clusters < 2:
        return DriftRecord(reason="there is only one cluster")
    if not config.drift_sample:
        return DriftRecord(reason="clustering.drift_sample is 0")
    shown = sample.users[: config.drift_sample]
    moment = _median_time(sample, int(shown[-1]))
    if moment is None:
        return DriftRecord(reason="the log has an order but no times")
    with pipeline:
        _ = (
            pipeline
            | "Files" >> beam.Create([(TRAIN, path) for path in files])
            | "Read" >> beam.ParDo(ReadRecords())
            | "Cut" >> beam.ParDo(_UsersAsOf(config.seed, int(shown[-1]), moment))
            | "Embed" >> EmbedHistories(encoder, config.batch_size, geometry.representation)
            | "ToRows" >> beam.FlatMapTuple(_to_rows)
            | "Write"
            >> beam.io.WriteToParquet(
                f"{directory}/earlier", _SCHEMA, codec="snappy", file_name_suffix=".parquet"
            )
        )
    users, earlier = read_embeddings(sorted(fileio.glob(f"{directory}/earlier*.parquet")))
    if len(users) < _FEWEST_USERS_PER_CLUSTER * geometry.clusters:
        return DriftRecord(
            reason=f"only {len(users)} of the sampled users have events both before and after "
            "the median time of all events"
        )
    now = geometry.assign(sample.embeddings[np.searchsorted(sample.users, users)])
    then = geometry.assign(earlier)
    refitted, agreement = _refitted(earlier, now, algorithm, geometry, config)
    return DriftRecord(
        moment=moment,
        users=len(users),
        changed=float((then != now).mean()),
        assigned=find_transitions(then, now, geometry.clusters, geometry.clusters).to_record(),
        refitted=refitted,
        ari=agreement,
    )


def _refitted(
    earlier: np.ndarray,
    now: np.ndarray,
    algorithm: str,
    geometry: ClusterGeometry,
    config: ClusteringConfig,
) -> tuple[ClusterTransitions | None, float | None]:
    """Clusters of the moment and today's, and their adjusted Rand index; None if none can be."""
    k = geometry.clusters
    points = geometry.space.points(earlier)
    if count_distinct(points, k) < k:
        return None, None
    fit = make_algorithm(config.updated({"algorithm": algorithm, "k": None})).fit
    clustering = fit(points, k, config.seed)
    found = find_transitions(clustering.labels, now, clustering.k, k)
    return found.to_record(), float(adjusted_rand_score(clustering.labels, now))


def _median_time(sample: FitSample, largest: int) -> int | None:
    """The time by which half of the events of users up to a hash had happened.

    None where timestamps count the events of each user: the log has an order but no times.
    """
    columns = []
    has_times = False
    for batch in sample.histories():
        frame = pl.DataFrame(batch.select(["user", TIMESTAMPS])).filter(pl.col("user") <= largest)
        events = frame.explode(TIMESTAMPS).drop_nulls()
        position = pl.int_range(pl.len()).over("user")
        has_times |= events.select((pl.col(TIMESTAMPS) != position).any()).item()
        columns.append(events[TIMESTAMPS].to_numpy())
    times = np.concatenate(columns)
    return int(np.median(times)) if has_times and len(times) else None


class _UsersAsOf(beam.DoFn):
    """(split, record) -> (hash, history before the moment) of users up to a hash."""

    def __init__(self, seed: int, largest: int, moment: int):
        self._seed = seed
        self._largest = largest
        self._moment = moment

    def process(self, element: tuple[str, bytes]) -> Iterator[tuple[int, bytes]]:
        _, record = element
        user = history_hash(record, self._seed)
        if user <= self._largest:
            cut = history_before(record, self._moment)
            if cut is not None:
                yield user, cut


def _to_rows(users: list[int], embeddings: np.ndarray) -> Iterator[dict[str, Any]]:
    """Rows of `_SCHEMA`."""
    for user, embedding in zip(users, embeddings, strict=True):
        yield {"user": user, "embedding": embedding}
