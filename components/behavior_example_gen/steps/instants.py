"""The account of instants: what is held out, how the log orders ties, how fine its times are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl

from components.behavior_example_gen.cleaning.tie_order import ASCENDING
from components.behavior_example_gen.quality_record import HeldOut, TieOrder
from components.behavior_example_gen.steps.reports import PartitionReport
from trainer.raw_history import TRAIN

_HOUR = 3_600
_NUMBER = "item_number"
_FAR = 0.1
_STANDARD_ERRORS = 4.0
_NAMES = {"item_id": "item ids", _NUMBER: "item ids, as numbers,", "title": "titles"}


def held_out(instants: Mapping[str, Counter[int]], used: pl.DataFrame) -> dict[str, HeldOut]:
    """What each split holds out.

    Args:
        instants: by split, the users by number of distinct items that are held out of them.
        used: counts of items by `history_step.USED_ITEM_KEYS`.
    """
    trained = used.filter(pl.col("part") == TRAIN).select("item_id")
    result = {}
    for split, sizes in instants.items():
        targets = used.filter(pl.col("part") == split)
        unknown = targets.join(trained, on="item_id", how="anti")
        each = np.repeat(list(sizes.keys()), list(sizes.values())) if sizes else np.zeros(0)
        result[split] = HeldOut(
            users=sizes.total(),
            items=int(targets["count"].sum()),
            unknown_items=int(unknown["count"].sum()),
            several_items=float((each > 1).mean()) if each.size else 0.0,
            median_items=float(np.median(each)) if each.size else 0.0,
        )
    return result


def tie_order(partitions: Sequence[PartitionReport], rule: Literal["drawn", "log"]) -> TieOrder:
    """How neighbours within an instant stand in the log."""
    with_ties = [report.directions for report in partitions if report.directions]
    found: dict[str, Counter[str]] = {}
    for directions in with_ties:
        for name, counts in directions.items():
            found.setdefault(name, Counter()).update(counts)
    if not all(_NUMBER in directions for directions in with_ties):
        found.pop(_NUMBER, None)
    return TieOrder(
        rule=rule,
        neighbours=found["item_id"].total() if found else 0,
        ascending={
            name: counts[ASCENDING] / counts.total() for name, counts in found.items() if +counts
        },
    )


def times_are_days(partitions: Sequence[PartitionReport]) -> bool:
    """Whether all times are midnights of one zone: one time of day, or two an hour apart, as
    daylight saving makes them.
    """
    found = sorted({time for report in partitions for time in report.times_of_day})
    return len(found) == 1 or (len(found) == 2 and found[1] - found[0] == _HOUR)


def notes(held_out: Mapping[str, HeldOut], ties: TieOrder | None) -> list[str]:
    """What to say about instants."""
    said = [
        f"unknown_targets: {split}: {part.unknown_items:,} of the {part.items:,} items that users "
        "took next are in no training history; they count as misses, unless a model knows their "
        "texts"
        for split, part in held_out.items()
        if part.unknown_items
    ]
    if ties is not None and (sentence := _tie_note(ties)):
        said.append(sentence)
    return said


def _tie_note(ties: TieOrder) -> str | None:
    """A warning where the order inside instants is that of ids or titles; None if it is not."""
    if not ties.ascending:
        return None
    noise = _STANDARD_ERRORS * 0.5 / np.sqrt(ties.neighbours)
    name = max(ties.ascending, key=lambda name: abs(ties.ascending[name] - 0.5))
    share = ties.ascending[name]
    if abs(share - 0.5) < max(_FAR, noise):
        return None
    consequence = (
        "so it is drawn instead (data.tie_order=drawn)"
        if ties.rule == "drawn"
        else "and data.tie_order=log keeps it: figures of the next item profit from it, and no "
        "request has it"
    )
    return (
        f"tie_order: {_NAMES[name]} ascend in {share:.0%} of the {ties.neighbours:,} pairs of "
        f"neighbouring rows of one user and time (50% by chance): the log's order inside an "
        f"instant is not that of the events, {consequence}"
    )
