"""What sets each cluster apart: what its users have and do more or less than all users."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from components.sequence_clusterer.meaning import trait_tests
from components.sequence_clusterer.meaning.behaviour_counts import (
    MEASURES,
    TIME_COLUMNS,
    TIME_MEASURES,
    BehaviourCounts,
    PricePer,
)

_TOP = 10
_TRAITS_OF_A_KIND = 5
# An item or category must concern so many users of a cluster to be shown: rare ones reach any
# lift by chance.
_LEAST_SUPPORT = 3
_LEAST_SUPPORT_SHARE = 0.01
# With many users the smallest difference is significant; a trait is one that matters as well.
_LEAST_LIFT = 1.2
# Hours and weekdays are shown one by one, and told as parts of the day and as `weekend_share`.
_TRAIT_KINDS = ("item", "category", "action", "day_part", "measure")


def profile_clusters(
    histories: Iterable[pa.Table],
    users: np.ndarray,
    labels: np.ndarray,
    price_per: PricePer = "unit",
) -> list[dict[str, Any]]:
    """Describes every cluster.

    Args:
        histories: batches with the columns of `FitSample.histories`; read once.
        users: int64 [n], the hashes in the column `user`.
        labels: int64 [n], the cluster of each; -1 for noise, which counts among all users only.
        price_per: what a price is paid for, one unit or the whole event.

    Returns:
        One mapping a cluster, in order, with the keys of `profiles.json` (see the README), but for
        titles and names.
    """
    counts = BehaviourCounts(pl.DataFrame({"user": users, "cluster": labels}), price_per)
    for batch in histories:
        counts.add(batch)
    tested = _tested(counts)
    items = _by_lift(tested["item"], "item_id")
    categories = _by_lift(tested["category"], "category")
    activity = _activity(counts)
    actions = counts.composition("action").values
    hours = counts.composition("hour").values
    prices = counts.prices()
    sizes = np.bincount(labels[labels >= 0])
    return [
        {
            "cluster": cluster,
            "users": int(size),
            "share": float(size / len(labels)),
            "events_per_user_median": activity[cluster][0],
            "span_days_median": activity[cluster][1],
            "top_items": items.get(cluster, []),
            "top_categories": categories.get(cluster, []),
            "actions": _shares(actions, cluster),
            "hours": _hour_shares(hours, cluster),
            "price_median": prices.get(cluster),
            "traits": _traits(tested, cluster),
            "tests": {
                "measures": _records(tested["measure"], cluster),
                "actions": _records(tested["action"], cluster),
                "hours": _records(tested["hour"], cluster),
                "weekdays": _records(tested["weekday"], cluster),
                "day_parts": _records(tested["day_part"], cluster),
            },
        }
        for cluster, size in enumerate(sizes)
    ]


def add_titles(profiles: list[dict[str, Any]], catalogue: pl.DataFrame | None) -> None:
    """Fills in `title` ("" if unknown) of every top item and item trait, in place.

    Args:
        profiles: from `profile_clusters`.
        catalogue: columns `item_id` and `title`; None if there is no catalogue.
    """
    shown = {item["item_id"] for profile in profiles for item in profile["top_items"]}
    traits = [t for profile in profiles for t in profile["traits"] if t["kind"] == "item"]
    shown.update(trait["value"] for trait in traits)
    titles: dict[str, str | None] = {}
    if catalogue is not None:
        known = catalogue.filter(pl.col("item_id").is_in(list(shown)))
        titles = dict(known.select("item_id", "title").iter_rows())
    for profile in profiles:
        for item in profile["top_items"]:
            item["title"] = titles.get(item["item_id"]) or ""
    for trait in traits:
        trait["title"] = titles.get(trait["value"]) or ""


def _tested(counts: BehaviourCounts) -> dict[str, pl.DataFrame]:
    """Kind of trait to its tests; those of time are empty where the log has an order only."""
    tested = {
        "item": trait_tests.compare_reach(counts.composition("item")),
        "category": trait_tests.compare_parts(counts.composition("category"), "more"),
    }
    for column in ("action", *TIME_COLUMNS):
        tested[column] = trait_tests.compare_parts(counts.composition(column), "both")
    measures = trait_tests.compare_measures(counts.users(), list(MEASURES))
    if not counts.has_time():
        for column in TIME_COLUMNS:
            tested[column] = tested[column].clear()
        measures = measures.filter(~pl.col("value").is_in(TIME_MEASURES))
    return {**tested, "measure": measures}


def _by_lift(tested: pl.DataFrame, name: str) -> dict[int, list[dict[str, Any]]]:
    """The values that distinguish each cluster most, significant or not.

    They are ranked by share times log(lift): by lift alone the rarest would win, by share alone
    what everybody buys.
    """
    ranked = (
        _supported(tested)
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
    for row in ranked.iter_rows(named=True):
        result[row["cluster"]].append({name: row["value"], **trait_tests.record(row)})
    return result


def _traits(tested: dict[str, pl.DataFrame], cluster: int) -> list[dict[str, Any]]:
    """What tells a cluster apart, most certain first, a few of each kind."""
    rows = []
    for kind in _TRAIT_KINDS:
        large = pl.max_horizontal("lift", 1.0 / pl.col("lift")) >= _LEAST_LIFT
        # That nobody in the cluster shops at night is a trait; that nobody has an item is none.
        candidates = _supported(tested[kind]) if kind in ("item", "category") else tested[kind]
        own = candidates.filter((pl.col("cluster") == cluster) & pl.col("significant") & large)
        strongest = own.sort(pl.col("z").abs(), "value", descending=[True, False])
        for row in strongest.head(_TRAITS_OF_A_KIND).iter_rows(named=True):
            trait = {"kind": kind, "value": row["value"], "reach": row["users"] / row["size"]}
            rows.append({**trait, "z": row["z"], **trait_tests.record(row)})
    return sorted(rows, key=lambda row: -abs(row["z"]))


def _supported(tested: pl.DataFrame) -> pl.DataFrame:
    """Without values that too few users of the cluster have; one is enough in a cluster of one."""
    share = (pl.col("size") * _LEAST_SUPPORT_SHARE).ceil()
    least = pl.min_horizontal("size", pl.max_horizontal(share, _LEAST_SUPPORT))
    return tested.filter(pl.col("users") >= least)


def _records(tested: pl.DataFrame, cluster: int) -> list[dict[str, Any]]:
    """The tests of one kind for a cluster, in the order of their values."""
    own = tested.filter(pl.col("cluster") == cluster).sort("value")
    medians = "median" in own.columns
    return [
        {
            "value": row["value"],
            **({"median": row["median"]} if medians else {}),
            **trait_tests.record(row),
        }
        for row in own.iter_rows(named=True)
    ]


def _activity(counts: BehaviourCounts) -> dict[int, tuple[float, float]]:
    """Cluster to median events a user and median days from a user's first to last event."""
    medians = counts.users().group_by("cluster").agg(pl.col("events", "days").median())
    return {cluster: (events, days) for cluster, events, days in medians.iter_rows()}


def _shares(counts: pl.DataFrame, cluster: int) -> dict[Any, float]:
    """Value to its share of a cluster's events, the most frequent first."""
    own = counts.filter(pl.col("cluster") == cluster)
    own = own.sort("events", "value", descending=[True, False])
    total = own["events"].sum()
    return {value: events / total for value, events in own.select("value", "events").iter_rows()}


def _hour_shares(counts: pl.DataFrame, cluster: int) -> list[float]:
    """Share of a cluster's events in each hour (UTC) of the day."""
    shares = _shares(counts, cluster)
    return [shares.get(hour, 0.0) for hour in range(24)]
