"""Steps 3 and 5, per partition: rules over whole users, sorting; then counts of items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import polars as pl
from absl import logging

from components.behavior_example_gen.arrow_files import (
    read_tables,
    to_arrow,
    to_bytes,
    write_table,
)
from components.behavior_example_gen.cleaning import event_rules
from components.behavior_example_gen.cleaning.cleaning import ORDER, RETURNED
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.steps.catalogue import ATTRIBUTES
from components.behavior_example_gen.steps.plan import Plan
from components.behavior_example_gen.steps.reports import PartitionReport
from components.behavior_example_gen.steps.scratch import Scratch

USER = "user"
"""Number of a user within the partition, by first appearance in the log."""
REPORT, ITEM_ATTRIBUTES = "report", "item_attributes"
ITEM_COUNT_KEYS = ("item_id",)
ITEM_ATTRIBUTE_KEYS = ("role", "item_id", "value")


class CleanPartition(beam.DoFn):
    """Yields (partition, path or None); a report and what events say about items on further
    outputs.
    """

    def __init__(
        self, scratch: Scratch, config_json: str, timeless: bool, sample_every: int
    ) -> None:
        """Arguments must survive pickling.

        Args:
            scratch: where the spilled files are, and where the cleaned ones go.
            config_json: the DataConfig.
            timeless: the log has an order but no times.
            sample_every: the time of every n-th event goes into the report.
        """
        self._scratch = scratch
        self._config_json = config_json
        self._timeless = timeless
        self._sample_every = sample_every

    def process(self, element: tuple[int, Iterable[str | None]], checked: None) -> Iterator[Any]:
        """Cleans one partition.

        Args:
            element: partition, and the files spilled for it (None is no file).
            checked: only there so that a log with too many bad rows stops before this step.
        """
        del checked
        partition, spilled = element
        paths = sorted(path for path in spilled if path is not None)
        if not paths:
            yield partition, None
            return
        config = DataConfig.from_json(self._config_json)
        report = PartitionReport()
        # Sorted as text: files are numbered in the order of the log.
        events = self._apply_rules(read_tables(paths), config, report)
        self._sample_times(events, config, report)
        for role in ATTRIBUTES:
            if role in events.columns:
                values = events.group_by("item_id", pl.col(role).alias("value")).agg(count=pl.len())
                values = values.with_columns(role=pl.lit(role))
                yield beam.pvalue.TaggedOutput(ITEM_ATTRIBUTES, to_bytes(values))
        path = write_table(
            events.drop("title", "brand", strict=False), self._scratch.cleaned(partition)
        )
        logging.info("partition %d: %s events are clean", partition, f"{events.height:,}")
        yield beam.pvalue.TaggedOutput(REPORT, report)
        yield partition, path

    def _apply_rules(
        self, events: pl.DataFrame, config: DataConfig, report: PartitionReport
    ) -> pl.DataFrame:
        """Applies the rules and sorts by user, time and place in the log."""
        dropped: Counter[str] = report.dropped
        codes = to_arrow(events.select("user_id")).column(0).combine_chunks().dictionary_encode()
        events = events.with_columns(pl.Series(USER, codes.indices.to_numpy()))
        if self._timeless:
            events = events.drop(RETURNED).sort(USER, ORDER)
            # A user may have several lines, each counted from 0.
            return events.with_columns(timestamp=pl.int_range(pl.len()).over(USER))
        events = events.sort(USER, "timestamp", ORDER)
        events = event_rules.without_duplicates(events, dropped)
        events = event_rules.without_returns(events, dropped)
        events, report.bots = event_rules.without_bots(
            events, config.max_events_per_user_per_day, dropped
        )
        return events

    def _sample_times(
        self, events: pl.DataFrame, config: DataConfig, report: PartitionReport
    ) -> None:
        """Leaves the times that the cuts are made of.

        Users who will be dropped for having too few events have no say. Rare items have: which
        those are depends on the cuts.
        """
        users = events[USER].to_numpy()
        often = pl.Series(np.bincount(users)[users] >= config.min_user_events)
        counted = events.select("timestamp", ORDER).filter(often)
        if counted.is_empty():
            return
        times = counted["timestamp"]
        report.first, report.last = int(times.min()), int(times.max())  # type: ignore[arg-type]
        sample = counted.filter(pl.col(ORDER) % self._sample_every == 0)
        report.times = sample["timestamp"].to_numpy()


class CountItems(beam.DoFn):
    """Yields the counts of a partition's items in the training period (bytes)."""

    def process(self, element: tuple[int, str | None], plan: Plan) -> Iterator[bytes]:
        """Counts one partition.

        Args:
            element: partition, and its cleaned events (None is no file).
            plan: the cuts.
        """
        _, path = element
        if path is None:
            return
        events = read_tables([path], ["item_id", "timestamp"])
        if not plan.leave_one_out:
            events = events.filter(pl.col("timestamp") < plan.validation_cut)
        yield to_bytes(events.group_by("item_id").agg(count=pl.len()))
