"""Step 5, per partition: filter, split, encode, write one shard of every split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import polars as pl
from absl import logging

from components.behavior_example_gen.arrow_files import read_tables, to_bytes
from components.behavior_example_gen.cleaning.cleaning import ORDER
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.steps.encoding import write_histories
from components.behavior_example_gen.steps.partition_step import USER
from components.behavior_example_gen.steps.plan import Plan
from components.behavior_example_gen.steps.reports import HistoryReport
from components.behavior_example_gen.steps.scratch import Scratch
from components.behavior_example_gen.steps.splitting import Split, split_events
from trainer.raw_history import SPLITS

USED_ITEMS = "used_items"


class BuildHistories(beam.DoFn):
    """Yields a HistoryReport; on the output `used_items`, counts of the items kept."""

    def __init__(
        self,
        scratch: Scratch,
        config_json: str,
        partitions: int,
        split_folders: Mapping[str, str],
        with_categories: bool,
    ) -> None:
        """Arguments must survive pickling.

        Args:
            scratch: where the cleaned events are.
            config_json: the DataConfig.
            partitions: their number, for the names of the shards.
            split_folders: where each split goes.
            with_categories: the items file has categories.
        """
        self._scratch = scratch
        self._config_json = config_json
        self._partitions = partitions
        self._split_folders = dict(split_folders)
        self._with_categories = with_categories

    def process(
        self, element: tuple[int, str | None], plan: Plan, kept_items: str
    ) -> Iterator[Any]:
        """Writes the shards of one partition, also if it is empty.

        Args:
            element: partition, and its cleaned events (None is no file).
            plan: the cuts.
            kept_items: file of the items with enough events.
        """
        partition, path = element
        report = HistoryReport()
        events = pl.DataFrame(schema={USER: pl.Int64, "item_id": pl.String, "timestamp": pl.Int64})
        if path is not None:
            events = self._filter(read_tables([path]), read_tables([kept_items]), report)
            if events.height and self._with_categories:
                events = self._with_item_categories(events)
        users = _numbered(events[USER])
        splits = split_events(users, events["timestamp"].to_numpy(), plan)
        shard = f"data_tfrecord-{partition:05d}-of-{self._partitions:05d}.gz"
        for name in SPLITS:
            path = f"{self._split_folders[name]}/{shard}"
            write_histories(path, events, users, splits[name])
        if events.height:
            _account(report, events, users, splits, plan)
            counts = events.group_by("item_id").agg(count=pl.len())
            yield beam.pvalue.TaggedOutput(USED_ITEMS, to_bytes(counts))
        logging.info("partition %d: %s histories", partition, f"{report.users:,}")
        yield report

    def _filter(
        self, events: pl.DataFrame, kept: pl.DataFrame, report: HistoryReport
    ) -> pl.DataFrame:
        """Drops rare items, then users with too few events left."""
        known = events.join(kept.select("item_id"), on="item_id", how="semi", maintain_order="left")
        if known.height < events.height:
            report.dropped["rare_item"] += events.height - known.height
        minimum = DataConfig.from_json(self._config_json).min_user_events
        codes = known[USER].to_numpy()
        enough = np.bincount(codes)[codes] >= minimum if len(codes) else np.empty(0, bool)
        if not enough.all():
            report.dropped["rare_user"] += int((~enough).sum())
            known = known.filter(pl.Series(enough))
        return known.drop(ORDER)

    def _with_item_categories(self, events: pl.DataFrame) -> pl.DataFrame:
        """Takes the category of the items file where the event has none."""
        of_items = read_tables([self._scratch.item_categories])
        joined = events.join(of_items, on="item_id", how="left", maintain_order="left")
        told = pl.col("item_category").fill_null("")
        if "category" in events.columns:
            told = pl.when(pl.col("category") == "").then(told).otherwise("category")
        return joined.with_columns(told.alias("category")).drop("item_category")


def _numbered(codes: pl.Series) -> npt.NDArray[np.int64]:
    """[n] the users numbered anew, without gaps."""
    values = codes.to_numpy()
    starts = np.concatenate([[False], values[1:] != values[:-1]]) if len(values) else values > 0
    return np.cumsum(starts, dtype=np.int64)


def _account(
    report: HistoryReport,
    events: pl.DataFrame,
    users: npt.NDArray[np.int64],
    splits: Mapping[str, Split],
    plan: Plan,
) -> None:
    times = events["timestamp"]
    sizes = np.bincount(users)
    values, counts = np.unique(sizes, return_counts=True)
    periods, in_period = np.unique(
        (times.to_numpy() - plan.period_start) // plan.period_seconds, return_counts=True
    )
    report.events = events.height
    report.users = len(sizes)
    report.user_items = events.select(pl.struct(USER, "item_id").n_unique()).item()
    report.actions = Counter(dict(events.group_by("action").len().iter_rows()))
    report.periods = Counter(dict(zip(periods.tolist(), in_period.tolist(), strict=True)))
    report.lengths = Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    report.histories = Counter({name: len(split.users) for name, split in splits.items()})
    report.cold_starts = Counter({name: split.cold_starts for name, split in splits.items()})
    report.first, report.last = int(times.min()), int(times.max())  # type: ignore[arg-type]
