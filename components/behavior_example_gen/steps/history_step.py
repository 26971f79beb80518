"""Step 7, per partition: filter, split, encode, write one shard of every split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import polars as pl
from absl import logging

from components.behavior_example_gen.arrow_files import read_tables, to_bytes
from components.behavior_example_gen.cleaning.event_rules import TAKEN_BACK
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.steps.encoding import write_histories
from components.behavior_example_gen.steps.later_events import later_events
from components.behavior_example_gen.steps.plan import Plan
from components.behavior_example_gen.steps.reports import HistoryReport
from components.behavior_example_gen.steps.scratch import Scratch
from components.behavior_example_gen.steps.splitting import (
    USER,
    Bools,
    Split,
    Timeline,
    split_events,
    training_events,
)
from trainer.raw_history import SPLITS, TEST, TRAIN, VALIDATION

USED_ITEMS = "used_items"
USED_ITEM_KEYS = ("part", "item_id")
"""`part` is `LOG` (events kept), `TRAIN` (events of training histories), or `VALIDATION` or `TEST`
(users of whom the item is held out)."""
LOG = "log"


class BuildHistories(beam.DoFn):
    """Yields a HistoryReport; on the output `used_items`, counts by `USED_ITEM_KEYS`."""

    def __init__(
        self,
        scratch: Scratch,
        config_json: str,
        partitions: int,
        split_folders: Mapping[str, str],
        later_folders: Mapping[str, str],
        with_items: bool,
    ) -> None:
        """Arguments must survive pickling.

        Args:
            scratch: where the cleaned events are.
            config_json: the DataConfig.
            partitions: their number, for the names of the shards.
            split_folders: where each split goes.
            later_folders: where the histories go that go on through a split's window; none without
                a behaviour head.
            with_items: there are items files.
        """
        self._scratch = scratch
        self._config_json = config_json
        self._partitions = partitions
        self._split_folders = dict(split_folders)
        self._later_folders = dict(later_folders)
        self._with_items = with_items

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
        events = pl.DataFrame(
            schema={
                USER: pl.Int64,
                "item_id": pl.String,
                "timestamp": pl.Int64,
                TAKEN_BACK: pl.Int64,
                "action": pl.String,
            }
        )
        config = DataConfig.from_json(self._config_json)
        learnt = np.zeros(0, bool)
        if path is not None:
            events, kept = read_tables([path]), read_tables([kept_items])
            learnt = events["item_id"].is_in(kept["item_id"].implode()).to_numpy()
            if plan.timeless:
                events, learnt = _enough(events, learnt, config.min_user_events, report)
            if events.height and self._with_items:
                events = self._with_item_categories(events)
        timeline = Timeline.of(events, config.target_actions)
        least = 1 if plan.timeless else config.min_user_events
        splits = split_events(timeline, plan, learnt, least)
        if events.height:
            splits = {name: _each_item_once(events, split) for name, split in splits.items()}
        shard = f"data_tfrecord-{partition:05d}-of-{self._partitions:05d}.gz"
        for name in SPLITS:
            path = f"{self._split_folders[name]}/{shard}"
            write_histories(path, events, timeline.users, splits[name])
        if self._later_folders:
            for name, later in later_events(timeline, plan).items():
                path = f"{self._later_folders[name]}/{shard}"
                write_histories(path, events, timeline.users, later)
        if events.height:
            kept_rows = _account_of_dropped(report, timeline, splits, plan, learnt)
            _account(report, events, timeline.users, kept_rows, splits, plan)
            yield beam.pvalue.TaggedOutput(USED_ITEMS, to_bytes(_used(events, kept_rows, splits)))
        logging.info("partition %d: %s histories", partition, f"{report.users:,}")
        yield report

    def _with_item_categories(self, events: pl.DataFrame) -> pl.DataFrame:
        """Takes the category of the items file where the event has none."""
        of_items = read_tables([self._scratch.known_items], ["item_id", "item_category"])
        if not (of_items["item_category"] != "").any():
            return events
        joined = events.join(of_items, on="item_id", how="left", maintain_order="left")
        told = pl.col("item_category").fill_null("")
        if "category" in events.columns:
            told = pl.when(pl.col("category") == "").then(told).otherwise("category")
        return joined.with_columns(told.alias("category")).drop("item_category")


def _enough(
    events: pl.DataFrame, learnt: Bools, minimum: int, report: HistoryReport
) -> tuple[pl.DataFrame, Bools]:
    """Of sequence files: drops rare items, then users with too few events left, from all splits."""
    known = events.filter(pl.Series(learnt))
    codes = known[USER].to_numpy()
    enough = known.filter(pl.Series(np.bincount(codes)[codes] >= minimum, dtype=pl.Boolean))
    report.dropped["rare_item"] += events.height - known.height
    report.dropped["rare_user"] += known.height - enough.height
    return enough, np.ones(enough.height, bool)


def _each_item_once(events: pl.DataFrame, split: Split) -> Split:
    """The split without the later of a user's targets with one item: what is asked is which."""
    rows = np.flatnonzero(split.target)
    first = events.select(pl.struct(USER, "item_id"))[rows].to_series().is_first_distinct()
    target = np.zeros_like(split.target)
    target[rows[first.to_numpy()]] = True
    return replace(split, target=target)


def _account_of_dropped(
    report: HistoryReport,
    timeline: Timeline,
    splits: Mapping[str, Split],
    plan: Plan,
    learnt: Bools,
) -> Bools:
    """Counts what is in no history or in no training history, by reason.

    Returns:
        [n] the events kept: those in a history or target, and later ones of the same users.
    """
    used, of_user = np.zeros(len(learnt), bool), np.zeros(len(learnt), bool)
    for split in splits.values():
        used |= split.history | split.target
        of_user |= np.isin(timeline.users, split.users)
    before = training_events(timeline, plan)
    stays = timeline.stays
    rare_item = stays & ~used & before & ~learnt
    early = np.bincount(timeline.users, before)[timeline.users] > 0
    rare_user = stays & ~of_user & ~rare_item & early
    late_user = stays & ~of_user & ~early
    kept = stays & ~rare_item & ~rare_user & ~late_user
    untrained = kept & before & ~splits[TRAIN].history
    report.dropped["rare_item"] += int(rare_item.sum())
    report.dropped["rare_user"] += int(rare_user.sum())
    report.dropped["late_user"] += int(late_user.sum())
    report.left_out_of_training["rare_item"] += int((untrained & ~learnt).sum())
    report.left_out_of_training["rare_user"] += int((untrained & learnt).sum())
    return kept


def _used(events: pl.DataFrame, kept: Bools, splits: Mapping[str, Split]) -> pl.DataFrame:
    """Counts of items, by `USED_ITEM_KEYS`."""
    parts = {LOG: kept, TRAIN: splits[TRAIN].history}
    parts |= {name: splits[name].target for name in (VALIDATION, TEST)}
    tables = []
    for part, rows in parts.items():
        chosen = events.select(USER, "item_id").filter(pl.Series(rows))
        count = pl.len() if part in (LOG, TRAIN) else pl.col(USER).n_unique()
        counts = chosen.group_by("item_id").agg(count.cast(pl.Int64).alias("count"))
        tables.append(counts.with_columns(part=pl.lit(part)))
    return pl.concat(tables)


def _account(
    report: HistoryReport,
    events: pl.DataFrame,
    users: npt.NDArray[np.int64],
    kept: Bools,
    splits: Mapping[str, Split],
    plan: Plan,
) -> None:
    report.histories = Counter({name: len(split.users) for name, split in splits.items()})
    report.cold_starts = Counter({name: split.cold_starts for name, split in splits.items()})
    for name in (VALIDATION, TEST):
        held_out = events.select(USER, "item_id").filter(pl.Series(splits[name].target))
        baskets = held_out.group_by(USER).agg(pl.col("item_id").n_unique())["item_id"]
        report.instants[name] = Counter(baskets.to_list())
    if not kept.any():
        return
    events = events.select(USER, "item_id", "action", "timestamp").filter(pl.Series(kept))
    times = events["timestamp"]
    sizes = np.bincount(users[kept])
    values, counts = np.unique(sizes[sizes > 0], return_counts=True)
    periods, in_period = np.unique(
        (times.to_numpy() - plan.period_start) // plan.period_seconds, return_counts=True
    )
    report.events = events.height
    report.users = int((sizes > 0).sum())
    report.user_items = events.select(pl.struct(USER, "item_id").n_unique()).item()
    report.actions = Counter(dict(events.group_by("action").len().iter_rows()))
    report.periods = Counter(dict(zip(periods.tolist(), in_period.tolist(), strict=True)))
    report.lengths = Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    report.first, report.last = int(times.min()), int(times.max())  # type: ignore[arg-type]
