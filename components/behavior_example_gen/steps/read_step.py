"""Step 1, per file: read, clean row by row, spill by user into partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import polars as pl
from absl import logging

from components.behavior_example_gen.arrow_files import TableWriter
from components.behavior_example_gen.cleaning.cleaning import (
    DROPPED_ITEM,
    NUMBERS,
    ORDER,
    RETURNED,
    CleanBatch,
    Cleaner,
)
from components.behavior_example_gen.cleaning.id_forms import IdForms
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading.raw_batch import RawBatch, Rejected
from components.behavior_example_gen.reading.readers import read
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.steps.quarantine import QuarantineWriter
from components.behavior_example_gen.steps.reports import FileReport
from components.behavior_example_gen.steps.scratch import Scratch
from trainer.errors import DataError

_FILE_STRIDE = 1 << 40
_HASH_SEED = 20_240_601
_ENCODING_ERRORS_TOLERATED = 1_000
SPILLED = "spilled"


class ReadFile(beam.DoFn):
    """Yields a FileReport; on the output `spilled`, (partition, path) of each file written."""

    def __init__(
        self,
        scratch: Scratch,
        config_json: str,
        partitions: int,
        optional: Sequence[str],
    ) -> None:
        """Arguments must survive pickling.

        Args:
            scratch: where to spill.
            config_json: the DataConfig.
            partitions: number of partitions of the users.
            optional: columns that some file has; every partition file gets them all.
        """
        self._scratch = scratch
        self._config_json = config_json
        self._partitions = partitions
        self._optional = list(optional)

    def process(self, source: Source) -> Iterator[Any]:
        """Reads one file."""
        config = DataConfig.from_json(self._config_json)
        cleaner = Cleaner(source, config)
        report = FileReport(source.number, source.name, remarks=cleaner.remarks)
        report.id_forms = {name: IdForms(source.name) for name in ("user_id", "item_id")}
        writers: dict[int, TableWriter] = {}
        quarantine = QuarantineWriter(self._scratch.quarantine(source.number), source.name)
        with self._scratch.noting_failures():
            try:
                order = source.number * _FILE_STRIDE
                for batch in read(source):
                    cleaned = cleaner.clean(batch, order)
                    order += batch.frame.height
                    quarantine.write(cleaned.rejected)
                    _account(report, source, batch, cleaned)
                    self._spill(source.number, cleaned.events, writers)
                    logging.info("%s: %s rows read", source.name, f"{report.rows:,}")
            finally:
                quarantine.close()
                for writer in writers.values():
                    writer.close()
        yield report
        for partition, writer in sorted(writers.items()):
            yield beam.pvalue.TaggedOutput(SPILLED, (partition, writer.path))

    def _spill(
        self, file_number: int, events: pl.DataFrame, writers: dict[int, TableWriter]
    ) -> None:
        events = self._uniform(events)
        bucket = (events["user_id"].hash(_HASH_SEED) % self._partitions).alias("partition")
        parts = events.with_columns(bucket).partition_by(
            "partition", as_dict=True, include_key=False
        )
        for (partition,), part in parts.items():
            if partition not in writers:
                path = self._scratch.spilled(partition, file_number)
                writers[partition] = TableWriter(path)
            writers[partition].write(part)

    def _uniform(self, events: pl.DataFrame) -> pl.DataFrame:
        """The same columns in the same order, whatever the file has."""
        missing = [
            pl.lit(-1.0, pl.Float32).alias(name) if name in NUMBERS else pl.lit("").alias(name)
            for name in self._optional
            if name not in events.columns
        ]
        base = ["user_id", "item_id", "timestamp", "action", ORDER, RETURNED]
        return events.with_columns(missing).select([*base, *self._optional])


def _account(report: FileReport, source: Source, batch: RawBatch, cleaned: CleanBatch) -> None:
    """Adds a batch to the report.

    Raises:
        DataError: more than a stray byte is not in the encoding expected.
    """
    report.rows += batch.frame.height + len(batch.rejected)
    if batch.swallowed:
        report.swallowed += len(batch.swallowed)
        report.first_swallowed = report.first_swallowed or batch.swallowed[0]
    for row in cleaned.rejected:
        report.dropped[row.reason] += 1
        report.examples.setdefault(row.reason, _example(source, row))
    if cleaned.dropped_items:
        report.dropped[DROPPED_ITEM] += cleaned.dropped_items
    wrong = report.dropped["bad_encoding"]
    if source.format != "parquet" and wrong > max(1, report.rows // _ENCODING_ERRORS_TOLERATED):
        raise DataError(
            f"{source.path} is not UTF-8: {wrong:,} of its first {report.rows:,} rows have other "
            f"bytes, e.g. {report.examples['bad_encoding']}. Set data.encoding to the file's "
            "encoding, for example cp1252 or latin-1"
        )
    for name, forms in report.id_forms.items():
        forms.add(cleaned.events[name])


def _example(source: Source, row: Rejected) -> str:
    place = f"{source.name} {source.unit} {row.line}"
    role = row.reason.removeprefix("invalid_")
    if role != row.reason:
        place += f", column {' / '.join(source.columns[role])!r}"
    return f"{place}: {row.content[:120]}"
