"""Cleaning that needs all events of a user: duplicates, returns, bots."""

from __future__ import annotations

from collections import Counter

import polars as pl

from components.behavior_example_gen.cleaning.cleaning import ORDER, RETURNED

_DAY = 86_400
TAKEN_BACK = "taken_back"
"""When a return takes the event back, epoch seconds; `NEVER` if none does."""
NEVER = 1 << 62


def without_duplicates(events: pl.DataFrame, dropped: Counter[str]) -> pl.DataFrame:
    """Keeps the first of rows that are equal in every column."""
    # Duplicates share user and second: only such rows are compared as a whole.
    suspects = pl.struct("user_id", "timestamp").is_duplicated()
    marked = events.with_columns(suspects.alias("suspect"))
    some = marked.filter("suspect")
    if some.is_empty():
        return events
    first = some.unique(
        subset=[name for name in events.columns if name != ORDER], keep="first", maintain_order=True
    )
    if first.height == some.height:
        return events
    dropped["duplicate"] += some.height - first.height
    return events.join(
        some.join(first.select(ORDER), on=ORDER, how="anti").select(ORDER), on=ORDER, how="anti"
    )


def with_returns(events: pl.DataFrame, dropped: Counter[str]) -> pl.DataFrame:
    """Drops returns, and says of every other event when a return takes it back.

    A return takes back the latest earlier event of the same user, item, action and quantity (each
    once). A return of part of a purchase therefore leaves the purchase: the user did keep the item.
    Within one instant purchases come before returns, whatever the order of the file.

    What a later return takes back stays in the table: whoever looked at the log before the return
    saw the purchase.

    Args:
        events: sorted by time; `returned` marks returns. The column is dropped.
        dropped: counts by reason, added to. Every purchase that the log takes back counts.

    Returns:
        The events with `taken_back`, epoch seconds of the return; `NEVER` if there is none.
    """
    if not events[RETURNED].any():
        return events.drop(RETURNED).with_columns(pl.lit(NEVER).alias(TAKEN_BACK))
    keys = ["user_id", "item_id", "action"]
    if "quantity" in events.columns:
        keys.append("quantity")
    # The other columns only decide between purchases that differ in nothing that counts here.
    others = [name for name in events.columns if name not in (*keys, "timestamp", RETURNED, ORDER)]
    touched = events.filter(pl.col(RETURNED).any().over(keys))
    touched = touched.sort(*keys, "timestamp", RETURNED, *others)
    # A stack: events push, returns pop. `depth` is its height after each row (never below 0).
    step = pl.when(RETURNED).then(-1).otherwise(1)
    walk = step.cum_sum().over(keys)
    floor = pl.min_horizontal(walk.cum_min().over(keys), 0)
    touched = touched.with_columns(walk.alias("walk"), floor.alias("floor")).with_columns(
        pl.when(RETURNED)
        .then(pl.col("walk") - pl.col("floor") + 1)
        .otherwise(pl.col("walk") - pl.col("floor"))
        .alias("level")
    )
    # An event is taken back if the next row at its level of the stack is a return.
    by_return = pl.col(RETURNED).shift(-1).over([*keys, "level"]).fill_null(False)
    taken_back = touched.with_columns(
        by_return.alias("by_return"),
        pl.col("timestamp").shift(-1).over([*keys, "level"]).alias(TAKEN_BACK),
    ).filter(~pl.col(RETURNED) & pl.col("by_return"))
    dropped["cancellation"] += int(events[RETURNED].sum())
    dropped["cancelled_purchase"] += taken_back.height
    return (
        events.filter(~pl.col(RETURNED))
        .join(taken_back.select(ORDER, TAKEN_BACK), on=ORDER, how="left", maintain_order="left")
        .with_columns(pl.col(TAKEN_BACK).fill_null(NEVER))
        .drop(RETURNED)
    )


def without_bots(
    events: pl.DataFrame, limit: int | None, dropped: Counter[str]
) -> tuple[pl.DataFrame, int]:
    """Drops every user with more than `limit` events on one day (UTC).

    Events that are taken back, and counted as that, do not count here.

    Returns:
        The other events, and the number of users dropped.
    """
    if limit is None:
        return events, 0
    stays = events[TAKEN_BACK] == NEVER
    busy = (
        events.select("user_id", pl.col("timestamp") // _DAY)
        .filter(stays)
        .group_by("user_id", "timestamp")
        .len()
        .filter(pl.col("len") > limit)
        .select(pl.col("user_id").unique())
    )
    if busy.is_empty():
        return events, 0
    kept = events.join(busy, on="user_id", how="anti", maintain_order="left")
    dropped["bot_user"] += int(stays.sum()) - int((kept[TAKEN_BACK] == NEVER).sum())
    return kept, busy.height
