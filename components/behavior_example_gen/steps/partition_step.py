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
from components.behavior_example_gen.cleaning import event_rules, tie_order
from components.behavior_example_gen.cleaning.cleaning import ORDER, RETURNED
from components.behavior_example_gen.cleaning.event_rules import TAKEN_BACK
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.steps.catalogue import ATTRIBUTES
from components.behavior_example_gen.steps.plan import Plan
from components.behavior_example_gen.steps.reports import PartitionReport
from components.behavior_example_gen.steps.scratch import Scratch
from components.behavior_example_gen.steps.splitting import USER, Timeline, training_events

_DAY = 86_400
REPORT, ITEM_ATTRIBUTES = "report", "item_attributes"
ITEM_COUNT_KEYS = ("item_id",)
ITEM_ATTRIBUTE_KEYS = ("role", "item_id", "value")


class CleanPartition(beam.DoFn):
    """Yields (partition, path or None); a report and what events say about items on further
    outputs.
    """

    def __init__(
        self,
        scratch: Scratch,
        config_json: str,
        timeless: bool,
        sample_every: int,
        with_items: bool,
    ) -> None:
        """Arguments must survive pickling.

        Args:
            scratch: where the spilled files are, and where the cleaned ones go.
            config_json: the DataConfig.
            timeless: the log has an order but no times.
            sample_every: the time of about every n-th event goes into the report.
            with_items: there are items files (`scratch.known_items`).
        """
        self._scratch = scratch
        self._config_json = config_json
        self._timeless = timeless
        self._sample_every = sample_every
        self._with_items = with_items

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
        report.actions = Counter(dict(events.group_by("action").len().iter_rows()))
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
        """Applies the rules and sorts by user, time and `data.tie_order`."""
        dropped: Counter[str] = report.dropped
        codes = to_arrow(events.select("user_id")).column(0).combine_chunks().dictionary_encode()
        users = codes.indices.to_numpy()
        if self._timeless:
            events = events.with_columns(pl.Series(USER, users)).drop(RETURNED).sort(USER, ORDER)
            # A user may have several lines, each counted from 0.
            return events.with_columns(
                timestamp=pl.int_range(pl.len()).over(USER),
                **{TAKEN_BACK: pl.lit(event_rules.NEVER)},
            )
        # The order of the log must not show in that of the users.
        ranks = pl.Series(codes.dictionary.to_pylist()).rank("ordinal").to_numpy() - 1
        described = [name for name in events.columns if name not in (ORDER, RETURNED)]
        events = events.with_columns(pl.Series(USER, ranks.astype(np.int64)[users]))
        events = events.sort(USER, "timestamp", ORDER)
        events = event_rules.without_duplicates(events, dropped)
        events = event_rules.with_returns(events, dropped)
        events, report.bots = event_rules.without_bots(
            events, config.max_events_per_user_per_day, dropped
        )
        same = tie_order.tied(events[USER].to_numpy(), events["timestamp"].to_numpy())
        titles = None
        if self._with_items and same.any():
            titles = read_tables([self._scratch.known_items], ["item_id", "title"])
        report.directions = tie_order.count_directions(events, same, titles)
        report.times_of_day = (events["timestamp"] % _DAY).unique().sort().head(3).to_list()
        if config.tie_order == "drawn":
            events = tie_order.drawn_order(events, same, config.seed, described)
        return events

    def _sample_times(
        self, events: pl.DataFrame, config: DataConfig, report: PartitionReport
    ) -> None:
        """Leaves the times that the cuts are made of.

        Events that are taken back have no say, nor have users with too few events for any split.
        Rare items have, and users with too few training events: which those are depends on the
        cuts.
        """
        stays = (events[TAKEN_BACK] == event_rules.NEVER).to_numpy()
        users = events[USER].to_numpy()
        often = np.bincount(users, stays)[users] >= config.min_user_events
        counted = events.select("user_id", "timestamp").filter(pl.Series(stays & often))
        if counted.is_empty():
            return
        times = counted["timestamp"]
        report.first, report.last = int(times.min()), int(times.max())  # type: ignore[arg-type]
        if self._sample_every > 1:
            # By what an event is, because every n-th of the log depends on the log's order.
            drawn = tie_order.event_hashes(counted, 0) % np.uint64(self._sample_every) == 0
            times = times.filter(pl.Series(drawn))
        report.times = times.to_numpy()


class CountItems(beam.DoFn):
    """Yields the counts of a partition's items in training (bytes)."""

    def __init__(self, config_json: str) -> None:
        """Arguments must survive pickling.

        Args:
            config_json: the DataConfig.
        """
        self._config_json = config_json

    def process(self, element: tuple[int, str | None], plan: Plan) -> Iterator[bytes]:
        """Counts one partition.

        Args:
            element: partition, and its cleaned events (None is no file).
            plan: the cuts. Sequence files are counted as a whole.
        """
        _, path = element
        if path is None:
            return
        target_actions = DataConfig.from_json(self._config_json).target_actions
        events = read_tables([path], ["item_id", USER, "timestamp", TAKEN_BACK, "action"])
        if not plan.timeless:
            timeline = Timeline.of(events, target_actions)
            events = events.filter(pl.Series(training_events(timeline, plan)))
        yield to_bytes(events.group_by("item_id").agg(count=pl.len()))
