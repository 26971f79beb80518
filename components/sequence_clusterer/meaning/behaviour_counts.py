"""What users do, summed per cluster over batches of histories, in bounded memory.

For everything that can be counted in a history (items, categories, actions, hours, …) the figure of
a user is the *part* of the user's events, so that every user counts once, however active. Per
cluster and value only sums are kept; per user a dozen numbers.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa

COLUMNS = ("item", "category", "action", "hour", "weekday", "day_part")
TIME_COLUMNS = ("hour", "weekday", "day_part")
MEASURES = (
    "events",
    "events_per_week",
    "baskets",
    "basket_size",
    "repeat_share",
    "weekend_share",
    "spend",
    "basket_value",
    "price_level",
)
TIME_MEASURES = ("events_per_week", "baskets", "basket_size", "weekend_share", "basket_value")
POWERS = ("part", "square", "cube")
PricePer = Literal["unit", "event"]

_PURCHASE = "purchase"
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800
_HOURS_PER_DAY_PART = 6
# Parts are summed as whole multiples of this: whole numbers give the same sum in any order.
_GRAIN = 2.0**-40


@dataclasses.dataclass(frozen=True)
class Composition:
    """Of what the events of the users of each cluster consist.

    Attributes:
        values: columns cluster, value, users (who have the value), events, part (sum over users of
            the part of their events), square and cube (sums of its powers).
        bases: columns cluster, users (with any known value) and events (with a known value).
    """

    values: pl.DataFrame
    bases: pl.DataFrame


class BehaviourCounts:
    """Sums over batches of histories, per cluster; noise users are the cluster -1."""

    def __init__(self, clusters: pl.DataFrame, price_per: PricePer):
        """Takes the columns `user` and `cluster`, and what a price is paid for."""
        self._clusters = clusters
        self._price_per = price_per
        self._values: dict[str, pl.DataFrame] = {}
        self._bases: dict[str, pl.DataFrame] = {}
        self._users: list[pl.DataFrame] = []
        self._prices: pl.DataFrame | None = None

    def add(self, batch: pa.Table) -> None:
        """Counts one batch, with the columns of `FitSample.histories`."""
        events = _events(pl.DataFrame(pl.from_arrow(batch)).join(self._clusters, on="user"))
        for column in COLUMNS:
            self._count(events, column)
        self._users.append(_users(events, self._price_per))
        priced = events.filter(pl.col("price") >= 0).group_by("cluster", "price")
        self._prices = _added(self._prices, priced.agg(events=pl.len()), ["cluster", "price"])

    def _count(self, events: pl.DataFrame, column: str) -> None:
        """Adds the parts of the events that each value is for each user."""
        per_user = (
            events.select("user", "cluster", value=column)
            .drop_nulls()
            .group_by("user", "cluster", "value")
            .agg(events=pl.len())
            .with_columns(part=pl.col("events") / pl.col("events").sum().over("user"))
        )
        powers = {name: pl.col("part") ** n for n, name in enumerate(POWERS, 1)}
        summed = per_user.group_by("cluster", "value").agg(
            users=pl.len(),
            events=pl.col("events").sum(),
            **{name: (x / _GRAIN).round().cast(pl.Int64).sum() for name, x in powers.items()},
        )
        bases = per_user.group_by("cluster").agg(
            users=pl.col("user").n_unique(), events=pl.col("events").sum()
        )
        self._values[column] = _added(self._values.get(column), summed, ["cluster", "value"])
        self._bases[column] = _added(self._bases.get(column), bases, ["cluster"])

    def composition(self, column: str) -> Composition:
        """The sums of one of `COLUMNS`."""
        grains = pl.col(*POWERS).cast(pl.Float64) * _GRAIN
        values = self._values[column].with_columns(grains).sort("cluster", "value")
        return Composition(values, self._bases[column].sort("cluster"))

    def users(self) -> pl.DataFrame:
        """Columns user, cluster, days (first to last event) and `MEASURES`, in order of the users.

        Unknown measures are null. A user's weeks run from the first event to the end of the log,
        one at least. Spend counts purchases where the log has such an action, all events where it
        has one kind only, and is unknown otherwise. A basket is an instant.
        """
        users = pl.concat(self._users).sort("user")
        weeks = ((pl.col("last").max() - pl.col("first")) / _WEEK).clip(lower_bound=1.0)
        actions = self._values["action"]["value"].unique().to_list()
        if _PURCHASE in actions:
            spend, baskets = pl.col("spend_purchases"), pl.col("baskets_purchases")
        elif len(actions) == 1:
            spend, baskets = pl.col("spend_all"), pl.col("baskets_all")
        else:
            spend, baskets = pl.lit(None, pl.Float64), pl.lit(None, pl.Float64)
        priced = pl.col("price_level").is_not_null()
        return users.select(
            "user",
            "cluster",
            "events",
            "baskets",
            "basket_size",
            "repeat_share",
            "weekend_share",
            "price_level",
            days=(pl.col("last") - pl.col("first")) / _DAY,
            events_per_week=pl.col("events") / weeks,
            spend=pl.when(priced).then(spend),
            basket_value=pl.when(priced & (baskets > 0)).then(spend / baskets),
        )

    def has_time(self) -> bool:
        """Whether timestamps carry time; those of sequence files only count the events."""
        counted = (pl.col("first") == 0) & (pl.col("last") == pl.col("events") - 1)
        return not pl.concat(self._users).select(counted.all()).item()

    def prices(self) -> dict[int, float]:
        """Cluster to median price of its events; clusters without a known price are missing."""
        if self._prices is None:
            return {}
        medians = {}
        for (cluster,), rows in self._prices.sort("price").group_by("cluster"):
            upto = rows["events"].cum_sum().to_numpy()
            # Of an even number of events, the middle lies between two of them.
            middle = np.searchsorted(upto, [(upto[-1] - 1) // 2, upto[-1] // 2], side="right")
            medians[int(cluster)] = float(rows["price"].to_numpy()[middle].mean())
        return medians


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    """One row an event: user, cluster, time, price and quantity (-1 = unknown), and `COLUMNS`."""
    length = pl.col("timestamps").list.len()
    return (
        frame.select(
            "user",
            "cluster",
            item="item_ids",
            action="actions",
            time="timestamps",
            price=_filled("prices", -1.0, length),
            quantity=_filled("quantities", -1.0, length),
            category=_filled("categories", "", length),
        )
        .explode("item", "action", "time", "price", "quantity", "category")
        .drop_nulls("time")
        .with_columns(
            category=pl.when(pl.col("category") != "").then("category"),
            hour=pl.col("time") // _HOUR % 24,
            # The epoch began on a Thursday; Monday is 0.
            weekday=(pl.col("time") // _DAY + 3) % 7,
        )
        .with_columns(day_part=pl.col("hour") // _HOURS_PER_DAY_PART)
    )


def _filled(column: str, value: float | str, length: pl.Expr) -> pl.Expr:
    """A list column with a list of one value where a history has none."""
    kind = pl.String if isinstance(value, str) else pl.Float64
    return pl.col(column).cast(pl.List(kind)).fill_null(pl.lit(value, kind).repeat_by(length))


def _users(events: pl.DataFrame, price_per: PricePer) -> pl.DataFrame:
    """One row a user; money is rounded, so that it does not depend on the order of summation."""
    price, quantity = pl.col("price"), pl.col("quantity")
    units = pl.when(quantity > 0).then(quantity).otherwise(1.0)
    money, unit_price = (price * units, price) if price_per == "unit" else (price, price / units)
    purchase = pl.col("action") == _PURCHASE
    priced = price >= 0
    return events.group_by("user").agg(
        cluster=pl.col("cluster").first(),
        events=pl.len().cast(pl.Float64),
        first=pl.col("time").min(),
        last=pl.col("time").max(),
        baskets=pl.col("time").n_unique().cast(pl.Float64),
        basket_size=pl.len() / pl.col("time").n_unique(),
        repeat_share=1.0 - pl.col("item").n_unique() / pl.len(),
        weekend_share=(pl.col("weekday") >= 5).sum() / pl.len(),
        price_level=unit_price.filter(priced).median().round(4),
        spend_all=money.filter(priced).sum().round(4),
        spend_purchases=money.filter(priced & purchase).sum().round(4),
        baskets_all=pl.col("time").filter(priced).n_unique(),
        baskets_purchases=pl.col("time").filter(priced & purchase).n_unique(),
    )


def _added(total: pl.DataFrame | None, part: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Running sums: never more rows than there are different keys, and those of one batch."""
    if total is None:
        return part
    return pl.concat([total, part]).group_by(keys).agg(pl.all().sum())
