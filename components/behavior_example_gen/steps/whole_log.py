"""A log with times as one cleaned table in this process, by the steps that the pipeline runs.

For whoever needs events and not histories. The table must fit in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
import polars as pl
from tfx.dsl.io import fileio

from components.behavior_example_gen.arrow_files import read_tables
from components.behavior_example_gen.cleaning.cleaning import NUMBERS, TEXTS
from components.behavior_example_gen.cleaning.event_rules import NEVER, TAKEN_BACK
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.quality_record import TieOrder
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.steps import instants, quarantine
from components.behavior_example_gen.steps.partition_step import REPORT, CleanPartition
from components.behavior_example_gen.steps.plan import check_bad_rows
from components.behavior_example_gen.steps.read_step import SPILLED, ReadFile
from components.behavior_example_gen.steps.reports import FileReport, PartitionReport
from components.behavior_example_gen.steps.scratch import Scratch
from trainer.errors import DataError


@dataclass(frozen=True)
class WholeLog:
    """A cleaned log.

    Attributes:
        events: sorted by user (`splitting.USER`, the number of the id among the sorted ids) and
            time, within an instant as `data.tie_order` says; without what was returned.
        dropped: rows that are not in it, by reason.
        tie_order: how neighbours within an instant stand in the log.
        times_are_days: whether all times are midnights of one zone.
    """

    events: pl.DataFrame
    dropped: dict[str, int]
    tie_order: TieOrder
    times_are_days: bool


def read_whole_log(sources: Sequence[Source], config: DataConfig, folder: str) -> WholeLog:
    """Reads and cleans all files of a log.

    Args:
        sources: of a log with times.
        config: how it is read and cleaned. Rare items and users stay.
        folder: gets `quarantine.csv`, with the rows that could not be used, and for as long as
            this lasts a folder of temporary files.

    Raises:
        DataError: a file cannot be read, too many rows are bad, or none is left.
    """
    scratch = Scratch(f"{folder}/scratch")
    if fileio.exists(scratch.folder):  # of a process that was killed
        fileio.rmtree(scratch.folder)
    scratch.create()
    rejected = f"{folder}/{quarantine.NAME}"
    try:
        files, spilled = _read(sources, config, scratch)
        quarantine.merge(scratch.quarantine_parts(), rejected)
        check_bad_rows(files, config, rejected)
        cleaned, report = _clean(spilled, config, scratch)
        events = read_tables(cleaned).filter(pl.col(TAKEN_BACK) == NEVER) if cleaned else None
    finally:
        fileio.rmtree(scratch.folder)
    dropped = sum((file.dropped for file in files), Counter[str]()) + report.dropped
    if events is None or events.is_empty():
        counts = ", ".join(f"{reason} {count:,}" for reason, count in dropped.most_common())
        raise DataError(f"no events are left after cleaning. Dropped: {counts}")
    return WholeLog(
        events.drop(TAKEN_BACK),
        dict(dropped.most_common()),
        instants.tie_order([report], config.tie_order),
        instants.times_are_days([report]),
    )


def _read(
    sources: Sequence[Source], config: DataConfig, scratch: Scratch
) -> tuple[list[FileReport], list[str]]:
    """Reports and spilled files of step 1, in the order of the log."""
    roles = {role for source in sources for role in source.columns}
    optional = [name for name in (*NUMBERS, *TEXTS) if name in roles]
    step = ReadFile(scratch, config.to_json(), 1, optional)
    files, spilled = [], []
    for source in sources:
        for result in step.process(source):
            if isinstance(result, FileReport):
                files.append(result)
            elif isinstance(result, beam.pvalue.TaggedOutput) and result.tag == SPILLED:
                spilled.append(result.value[1])
    return files, spilled


def _clean(
    spilled: Sequence[str], config: DataConfig, scratch: Scratch
) -> tuple[list[str], PartitionReport]:
    """Cleaned file and report of step 3; no file where nothing was spilled."""
    step = CleanPartition(
        scratch, config.to_json(), timeless=False, sample_every=1, with_items=False
    )
    cleaned, report = [], PartitionReport()
    for result in step.process((0, spilled), None):
        if isinstance(result, tuple):
            cleaned += [path for path in result[1:] if path is not None]
        elif result.tag == REPORT:
            report = result.value
    return cleaned, report
