"""Tests every figure of every cluster against all users: what is over- or under-represented."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl

from components.sequence_clusterer.meaning import significance
from components.sequence_clusterer.meaning.behaviour_counts import POWERS, Composition
from components.sequence_clusterer.meaning.significance import Array, Sums, TestValues

# A value that so few users have in all can tell no cluster apart (whatever the clusters are: that
# the choice of what to test does not see them keeps the correction valid; Bourgon et al. 2010).
_LEAST_USERS_OF_A_VALUE = 3
# What the exact test needs: who has it and how many there are, of the cluster and in all.
_COUNTS = ("users", "size", "users_all", "size_all")
RESULTS = (
    "share", "overall", "lift", "lift_low", "lift_high", "z", "p_value", "q_value", "significant",
)  # fmt: skip


def compare_reach(counts: Composition) -> pl.DataFrame:
    """Which values more of a cluster's users have: for items.

    The share is that of the users who have the value. To be significant, a value must be had by
    more users *and* be a larger part of their events, else a cluster of busy users would
    prefer everything: the larger of the two p-values counts (Berger 1982).

    Args:
        counts: the sums.

    Returns:
        Columns cluster, value, users (of the cluster who have it), size (the cluster's users) and
        `RESULTS`, a row for each value that a cluster has at all.
    """
    frame = _with_everyone(counts.values, counts.bases)
    part = TestValues.of(_sums(frame, *POWERS), _sums(frame, *POWERS, suffix="_all"))
    p_values = part.more()
    # The exact test is made only where the other one leaves it something to decide.
    open_ = p_values < significance.FALSE_DISCOVERY_RATE
    having, users, having_all, users_all = (
        frame[name].to_numpy().astype(float)[open_] for name in _COUNTS
    )
    exact = significance.exact_more(having, users, having_all, users_all)
    p_values[open_] = np.maximum(p_values[open_], exact)
    # A user has it or not, and the powers of one are one.
    reach = _sums(frame, "users", "users", "users")
    everyone = _sums(frame, "users", "users", "users", suffix="_all")
    return _judged(frame, reach, everyone, part.z, p_values, counts.bases)


def compare_parts(counts: Composition, sides: Literal["more", "both"]) -> pl.DataFrame:
    """Which values are a larger (or other) part of what a cluster's users do.

    The share is the mean over users of the part of their events. Users without any known
    value are left out.

    Args:
        counts: the sums.
        sides: "more" tests for over-representation, for any number of values; "both" for a
            difference in either direction, also of values that a cluster does not have.

    Returns:
        As `compare_reach`.
    """
    bases, values = counts.bases, counts.values
    if sides == "both":
        grid = bases.select("cluster").join(values.select("value").unique(), how="cross")
        values = grid.join(values, on=["cluster", "value"], how="left").fill_null(0)
    frame = _with_everyone(values, bases)
    parts, everyone = _sums(frame, *POWERS), _sums(frame, *POWERS, suffix="_all")
    test = TestValues.of(parts, everyone)
    p_values = test.different() if sides == "both" else test.more()
    return _judged(frame, parts, everyone, test.z, p_values, bases)


def compare_measures(users: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Which numbers of the users differ: activity and spend.

    Tested by ranks (Mann-Whitney), because such numbers have long tails; the lift is the ratio
    of the means.

    Args:
        users: column cluster and the measures, null where unknown, a row a user.
        names: the measures to compare, all >= 0.

    Returns:
        As `compare_reach`, with the name of the measure as `value`, its mean as `share`, and the
        column `median`; none for measures that no user has.
    """
    long = users.unpivot(names, index="cluster", variable_name="value", value_name="x")
    long = long.drop_nulls("x").with_columns(rank=pl.col("x").rank("average").over("value"))
    frame = (
        # Sorted, so that sums of floats do not depend on the order of the rows.
        long.sort("value", "cluster", "x")
        .group_by("value", "cluster", maintain_order=True)
        .agg(
            users=pl.len(),
            size=pl.len(),
            median=pl.col("x").median(),
            **_powers("x"),
            **_powers("rank"),
        )
    )
    sums = [f"{name}_{n}" for name in ("x", "rank") for n in (1, 2, 3)]
    everyone = pl.col("users", "size", *sums).sum().over("value")
    frame = frame.with_columns(everyone.name.suffix("_all"))
    x, ranks = sums[:3], sums[3:]
    test = TestValues.of(_sums(frame, *ranks), _sums(frame, *ranks, suffix="_all"))
    sizes = users.group_by("cluster").agg(users=pl.len())
    return _judged(
        frame, _sums(frame, *x), _sums(frame, *x, suffix="_all"), test.z, test.different(), sizes
    )


def record(row: dict[str, Any]) -> dict[str, Any]:
    """`RESULTS` of one row as plain values; `lift_ci` is null where there is nobody to compare."""
    interval = [row["lift_low"], row["lift_high"]]
    names = ("share", "overall", "lift")
    return {
        **{name: row[name] for name in names},
        "lift_ci": None if row["lift_low"] is None else interval,
        **{name: row[name] for name in ("p_value", "q_value", "significant")},
    }


def _with_everyone(values: pl.DataFrame, bases: pl.DataFrame) -> pl.DataFrame:
    """Adds `size`, the cluster's users, and the sums over all clusters, with the suffix `_all`."""
    figures = pl.col("users", *POWERS)
    size_all = int(bases["users"].sum())
    return (
        # Sorted first, so that sums of floats do not depend on the order of the rows.
        values.sort("value", "cluster")
        .with_columns(figures.sum().over("value").name.suffix("_all"))
        .filter(pl.col("users_all") >= min(_LEAST_USERS_OF_A_VALUE, size_all))
        .join(bases.select("cluster", size="users"), on="cluster", maintain_order="left")
        .with_columns(size_all=pl.lit(size_all))
    )


def _powers(column: str) -> dict[str, pl.Expr]:
    """Sums of the first three powers of a column."""
    return {f"{column}_{n}": (pl.col(column) ** n).sum() for n in (1, 2, 3)}


def _sums(frame: pl.DataFrame, *powers: str, suffix: str = "") -> Sums:
    """Sums from a column of users and those of the first three powers."""
    names = [f"{name}{suffix}" for name in ("size", *powers)]
    return Sums(*(frame[name].cast(pl.Float64).to_numpy() for name in names))


def _judged(
    frame: pl.DataFrame,
    group: Sums,
    everyone: Sums,
    z: Array,
    p_values: Array,
    sizes: pl.DataFrame,
) -> pl.DataFrame:
    """Adds `RESULTS`. A family of tests is every value in every cluster that is large enough."""
    large = np.minimum(group.users, everyone.users - group.users) >= significance.LEAST_USERS
    clustered = frame["cluster"].to_numpy() >= 0
    tested = large & clustered
    total = sizes["users"].sum()
    clusters = sizes.filter(
        (pl.col("cluster") >= 0)
        & (pl.col("users") >= significance.LEAST_USERS)
        & (total - pl.col("users") >= significance.LEAST_USERS)
    )
    tests = max(frame["value"].n_unique() * len(clusters), int(tested.sum()))
    q = np.ones(len(frame))
    q[tested] = significance.q_values(p_values[tested], tests)
    low, high = significance.lift_interval(group, everyone)
    mean, overall = group.mean, everyone.mean
    judged = frame.with_columns(
        share=pl.Series(mean),
        overall=pl.Series(overall),
        lift=pl.Series(np.where(overall > 0, mean / np.where(overall > 0, overall, 1.0), 1.0)),
        lift_low=pl.Series(low).fill_nan(None),
        lift_high=pl.Series(high).fill_nan(None),
        z=pl.Series(z),
        p_value=pl.Series(np.where(tested, p_values, 1.0)),
        q_value=pl.Series(q),
        significant=pl.Series(tested & (q <= significance.FALSE_DISCOVERY_RATE)),
    )
    kept = ["cluster", "value", "users", "size", *RESULTS]
    return judged.filter(pl.col("cluster") >= 0).select(
        *kept, *(["median"] if "median" in frame.columns else [])
    )
