"""What sets each cluster apart: items and categories by lift, actions, hours, activity."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from trainer.histories import NOISE

_TOP = 10
# An item or category must concern so many users or events of a cluster to be shown: rare ones
# reach any lift by chance.
_LEAST_SUPPORT = 3
_LEAST_SUPPORT_SHARE = 0.01
_SECONDS_PER_DAY = 86_400


def profile_clusters(
    histories: Iterable[pa.Table], users: np.ndarray, labels: np.ndarray
) -> list[dict[str, Any]]:
    """Describes every cluster.

    Args:
        histories: batches with the columns of `FitSample.histories`; read once.
        users: int64 [n], the hashes in the column `user`.
        labels: int64 [n], the cluster of each; -1 for users of none, who count among all users
            but have no profile.

    Returns:
        One mapping a cluster, in order, with the keys of `profiles.json`. An item's `share` is the
        part of the cluster's users who have it, a category's the part of the cluster's events;
        `lift` is that share over the same share among all users.
    """
    counts = _Counts(pl.DataFrame({"user": users, "cluster": labels}))
    for batch in histories:
        counts.add(batch)
    activity = counts.activity()
    clusters, users_of = np.unique(labels, return_counts=True)
    sizes = dict(zip(clusters.tolist(), users_of.tolist(), strict=True))
    items = _by_lift(counts.total("item_ids"), sizes, "item_id")
    categories = counts.total("categories")
    events = {row[0]: row[1] for row in categories.group_by("cluster").agg(_sum()).iter_rows()}
    by_category = _by_lift(categories, events, "category")
    actions, hours = counts.total("actions"), counts.total("hours")
    prices = counts.prices()
    return [
        {
            "cluster": cluster,
            "users": int(size),
            "share": float(size / len(labels)),
            "events_per_user_median": activity[cluster][0],
            "span_days_median": activity[cluster][1],
            "top_items": items.get(cluster, []),
            "top_categories": by_category.get(cluster, []),
            "actions": _shares(actions, cluster),
            "hours": _hour_shares(hours, cluster),
            "price_median": prices.get(cluster),
        }
        for cluster, size in sizes.items()
        if cluster != NOISE
    ]


def add_titles(profiles: list[dict[str, Any]], catalogue: pl.DataFrame | None) -> None:
    """Fills in `title` ("" if unknown) of every top item, in place.

    Args:
        profiles: from `profile_clusters`.
        catalogue: columns `item_id` and `title`; None if there is no catalogue.
    """
    shown = {item["item_id"] for profile in profiles for item in profile["top_items"]}
    titles: dict[str, str | None] = {}
    if catalogue is not None:
        known = catalogue.filter(pl.col("item_id").is_in(list(shown)))
        titles = dict(known.select("item_id", "title").iter_rows())
    for profile in profiles:
        for item in profile["top_items"]:
            item["title"] = titles.get(item["item_id"]) or ""


class _Counts:
    """Sums over batches of histories, per cluster."""

    def __init__(self, clusters: pl.DataFrame):
        """Takes the columns `user` and `cluster`."""
        self._clusters = clusters
        self._parts: defaultdict[str, list[pl.DataFrame]] = defaultdict(list)

    def add(self, batch: pa.Table) -> None:
        """Counts one batch."""
        frame = pl.DataFrame(pl.from_arrow(batch)).join(self._clusters, on="user")
        times = pl.col("timestamps").list
        self._parts["activity"].append(
            frame.select("cluster", events=times.len(), seconds=times.last() - times.first())
        )
        once = frame.with_columns(pl.col("item_ids").list.unique())
        self._count(once, "item_ids")
        self._count(frame, "actions")
        known = pl.col("categories").list.eval(pl.element().filter(pl.element() != ""))
        self._count(frame.with_columns(known), "categories")
        self._count(frame.with_columns(hours=times.eval(pl.element() // 3_600 % 24)), "hours")
        self._parts["prices"].append(
            _exploded(frame, "prices").filter(pl.col("prices") >= 0)  # -1 is unknown
        )

    def _count(self, frame: pl.DataFrame, column: str) -> None:
        values = _exploded(frame, column)
        self._parts[column].append(values.group_by("cluster", column).agg(count=pl.len()))

    def total(self, column: str) -> pl.DataFrame:
        """Columns cluster, value, count."""
        summed = pl.concat(self._parts[column]).group_by("cluster", column).agg(_sum())
        return summed.rename({column: "value"})

    def activity(self) -> dict[int, tuple[float, float]]:
        """Cluster to median events a user and median days from a user's first to last event."""
        users = pl.concat(self._parts["activity"]).group_by("cluster").median()
        return {
            cluster: (events, seconds / _SECONDS_PER_DAY)
            for cluster, events, seconds in users.select("cluster", "events", "seconds").iter_rows()
        }

    def prices(self) -> dict[int, float]:
        """Cluster to median price of its events; clusters without a known price are missing."""
        return dict(pl.concat(self._parts["prices"]).group_by("cluster").median().iter_rows())


def _exploded(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Columns cluster and `column`, one row a list element; null and empty lists give none."""
    return frame.select("cluster", column).explode(column).drop_nulls()


def _sum() -> pl.Expr:
    return pl.col("count").sum()


def _by_lift(
    counts: pl.DataFrame, bases: dict[int, int], name: str
) -> dict[int, list[dict[str, Any]]]:
    """The values of each cluster that distinguish it most.

    They are ranked by share times log(lift): by lift alone the rarest would win, by share alone
    what everybody buys.

    Args:
        counts: columns cluster, value, count.
        bases: cluster to the count that is a share of one.
        name: key of the value in the result.
    """
    if counts.is_empty():
        return {}
    base = pl.col("cluster").replace_strict(bases, return_dtype=pl.Int64)
    everyone = sum(bases.values())
    ranked = (
        counts.with_columns(base=base, overall=_sum().over("value") / everyone)
        .with_columns(share=pl.col("count") / pl.col("base"))
        .with_columns(lift=pl.col("share") / pl.col("overall"))
        .filter(pl.col("count") >= pl.col("base").map_elements(_support, return_dtype=pl.Int64))
        .with_columns(weight=pl.col("share") * pl.col("lift").log())
        .sort(
            pl.col("cluster"),
            pl.col("weight").round(9),
            pl.col("share"),
            pl.col("value"),
            descending=[False, True, True, False],
        )
        .group_by("cluster", maintain_order=True)
        .head(_TOP)
    )
    result: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in ranked.select("cluster", "value", "share", "lift").iter_rows():
        result[row[0]].append({name: row[1], "share": row[2], "lift": row[3]})
    return result


def _support(base: int) -> int:
    """The least count out of `base` to be shown; one is enough where there is no more."""
    return min(base, max(_LEAST_SUPPORT, math.ceil(_LEAST_SUPPORT_SHARE * base)))


def _shares(counts: pl.DataFrame, cluster: int) -> dict[Any, float]:
    """Value to its share in a cluster, the most frequent first."""
    own = counts.filter(pl.col("cluster") == cluster)
    own = own.sort("count", "value", descending=[True, False])
    total = own["count"].sum()
    return {value: count / total for value, count in own.select("value", "count").iter_rows()}


def _hour_shares(counts: pl.DataFrame, cluster: int) -> list[float]:
    """Share of a cluster's events in each hour (UTC) of the day."""
    shares = _shares(counts, cluster)
    return [shares.get(hour, 0.0) for hour in range(24)]
