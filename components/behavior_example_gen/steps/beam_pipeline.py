"""The ingestion as one Beam pipeline over batches.

1. each file: read in batches, clean row by row, spill by user into partitions;
2. the whole log: stop if too much is bad;
3. each partition: rules over whole users, sort;
4. the whole log: the cuts in time, from the events that are left;
5. each partition: count items in training;
6. the whole log: which items are kept;
7. each partition: filter, split, encode, write one shard of every split.

Partitions live in files below a scratch folder: only their names pass through Beam.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import polars as pl
from apache_beam.pvalue import AsList, AsSingleton

from components.behavior_example_gen.arrow_files import from_bytes, write_table
from components.behavior_example_gen.cleaning.cleaning import NUMBERS, TEXTS
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.files import open_writing
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.steps.history_step import (
    USED_ITEM_KEYS,
    USED_ITEMS,
    BuildHistories,
)
from components.behavior_example_gen.steps.partition_step import (
    ITEM_ATTRIBUTE_KEYS,
    ITEM_ATTRIBUTES,
    ITEM_COUNT_KEYS,
    REPORT,
    CleanPartition,
    CountItems,
)
from components.behavior_example_gen.steps.plan import Plan, check_bad_rows, make_plan
from components.behavior_example_gen.steps.quality import Reports
from components.behavior_example_gen.steps.read_step import SPILLED, ReadFile
from components.behavior_example_gen.steps.reports import FileReport, HistoryReport, PartitionReport
from components.behavior_example_gen.steps.scratch import Scratch
from components.behavior_example_gen.steps.sums import SumCounts
from trainer.evaluation_config import EvaluationConfig

_EVENTS_PER_PARTITION = 1_000_000
_MOST_PARTITIONS = 512
_TIMES_SAMPLED = 1_000_000


@dataclass(frozen=True)
class Ingestion:
    """What to read and where to write it."""

    sources: Sequence[Source]
    config: DataConfig
    evaluation: EvaluationConfig
    scratch: Scratch
    split_folders: Mapping[str, str]
    behavior_actions: Sequence[str]
    """The setting `behavior_head.actions`."""
    later_folders: Mapping[str, str]
    """Where the histories go that go on through a split's window; none without a behaviour head."""
    quarantine: str
    """Where the quarantine will be if the run stops, for the message."""
    with_items: bool
    """There are items files (`scratch.known_items`)."""

    @property
    def timeless(self) -> bool:
        """The log has an order but no times."""
        return self.sources[0].format == "sequences"


def build(pipeline: beam.Pipeline, job: Ingestion) -> None:
    """Adds all steps to a pipeline. Results: the shards, and the files of `job.scratch`."""
    rows = sum(source.estimated_rows for source in job.sources)
    partitions = min(max(1, -(-rows // _EVENTS_PER_PARTITION)), _MOST_PARTITIONS)
    sample_every = max(1, rows // _TIMES_SAMPLED)
    config_json = job.config.to_json()
    roles = {role for source in job.sources for role in source.columns}
    optional = [name for name in (*NUMBERS, *TEXTS) if name in roles]
    once = pipeline | "Once" >> beam.Create([None])

    files = (
        pipeline
        | "Files" >> beam.Create(list(job.sources))
        | "SpreadFiles" >> beam.Reshuffle()
        | "ReadFile"
        >> beam.ParDo(ReadFile(job.scratch, config_json, partitions, optional)).with_outputs(
            SPILLED, main="reports"
        )
    )
    checked = AsSingleton(once | "CheckRows" >> beam.Map(_check, AsList(files.reports), job=job))
    # Every partition takes part, also one without events: it still gets its shards.
    all_partitions = pipeline | "Partitions" >> beam.Create(
        [(partition, None) for partition in range(partitions)]
    )
    cleaned = (
        (files[SPILLED], all_partitions)
        | "AllPartitions" >> beam.Flatten()
        | "ByPartition" >> beam.GroupByKey()
        | "CleanPartition"
        >> beam.ParDo(
            CleanPartition(job.scratch, config_json, job.timeless, sample_every, job.with_items),
            checked,
        ).with_outputs(REPORT, ITEM_ATTRIBUTES, main="partitions")
    )
    plan = AsSingleton(once | "Plan" >> beam.Map(_plan, AsList(cleaned[REPORT]), job=job))
    partitions_cleaned = cleaned.partitions | "SpreadPartitions" >> beam.Reshuffle()
    kept_items = AsSingleton(
        partitions_cleaned
        | "CountItems" >> beam.ParDo(CountItems(config_json), plan)
        | "SumItems" >> beam.CombineGlobally(SumCounts(ITEM_COUNT_KEYS))
        | "KeepItems"
        >> beam.Map(_write, path=job.scratch.kept_items, minimum=job.config.min_item_events)
    )
    attributes = AsSingleton(
        cleaned[ITEM_ATTRIBUTES]
        | "SumAttributes" >> beam.CombineGlobally(SumCounts(ITEM_ATTRIBUTE_KEYS))
        | "KeepAttributes" >> beam.Map(_write, path=job.scratch.attributes)
    )
    histories = partitions_cleaned | "BuildHistories" >> beam.ParDo(
        BuildHistories(
            job.scratch,
            config_json,
            partitions,
            job.split_folders,
            job.later_folders,
            job.with_items,
        ),
        plan,
        kept_items,
    ).with_outputs(USED_ITEMS, main="reports")
    used_items = AsSingleton(
        histories[USED_ITEMS]
        | "SumUsedItems" >> beam.CombineGlobally(SumCounts(USED_ITEM_KEYS))
        | "KeepUsedItems" >> beam.Map(_write, path=job.scratch.used_items)
    )
    _ = once | "Report" >> beam.Map(
        _report,
        AsList(files.reports),
        AsList(cleaned[REPORT]),
        AsList(histories.reports),
        plan,
        attributes,
        used_items,
        path=job.scratch.reports,
    )


def _check(_: None, reports: list[FileReport], job: Ingestion) -> None:
    ordered = sorted(reports, key=lambda report: report.number)
    with job.scratch.noting_failures():
        check_bad_rows(ordered, job.config, job.quarantine)


def _plan(_: None, reports: list[PartitionReport], job: Ingestion) -> Plan:
    with job.scratch.noting_failures():
        return make_plan(reports, job.timeless, job.config, job.evaluation, job.behavior_actions)


def _write(counts: bytes, path: str, minimum: int = 0) -> str:
    """Writes the counts of at least `minimum` to a file that workers can read."""
    return write_table(from_bytes(counts).filter(pl.col("count") >= minimum), path)


def _report(
    _: None,
    files: list[FileReport],
    partitions: list[PartitionReport],
    histories: list[HistoryReport],
    plan: Plan,
    *written: str,
    path: str,
) -> None:
    """Leaves all reports for the executor; `written` only makes it wait for the other files."""
    del written
    ordered = sorted(files, key=lambda report: report.number)
    with open_writing(path) as stream:
        stream.write(pickle.dumps(Reports(ordered, partitions, histories, plan)))
