"""Cleaning that needs all events of a user: duplicates, returns, bots."""

from __future__ import annotations

from collections import Counter

import polars as pl

from components.behavior_example_gen.cleaning.cleaning import ORDER, RETURNED

_DAY = 86_400


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


def without_returns(events: pl.DataFrame, dropped: Counter[str]) -> pl.DataFrame:
    """Drops returns, and with each the latest earlier event that it takes back.

    A return takes back an event of the same user, item, action and quantity (each once). A
    return of part of a purchase therefore leaves the purchase: the user did keep the item.

    Args:
        events: sorted by time; `returned` marks returns. The column is dropped.
        dropped: counts by reason, added to.
    """
    if not events[RETURNED].any():
        return events.drop(RETURNED)
    keys = ["user_id", "item_id", "action"]
    if "quantity" in events.columns:
        keys.append("quantity")
    touched = events.filter(pl.col(RETURNED).any().over(keys))
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
    taken_back = touched.filter(
        ~pl.col(RETURNED) & pl.col(RETURNED).shift(-1).over([*keys, "level"]).fill_null(False)
    )
    dropped["cancellation"] += int(events[RETURNED].sum())
    dropped["cancelled_purchase"] += taken_back.height
    return (
        events.filter(~pl.col(RETURNED))
        .join(taken_back.select(ORDER), on=ORDER, how="anti", maintain_order="left")
        .drop(RETURNED)
    )


def without_bots(
    events: pl.DataFrame, limit: int | None, dropped: Counter[str]
) -> tuple[pl.DataFrame, int]:
    """Drops every user with more than `limit` events on one day (UTC).

    Returns:
        The other events, and the number of users dropped.
    """
    if limit is None:
        return events, 0
    busy = (
        events.group_by("user_id", (pl.col("timestamp") // _DAY).alias("day"))
        .len()
        .filter(pl.col("len") > limit)
        .select(pl.col("user_id").unique())
    )
    if busy.is_empty():
        return events, 0
    kept = events.join(busy, on="user_id", how="anti", maintain_order="left")
    dropped["bot_user"] += events.height - kept.height
    return kept, busy.height
