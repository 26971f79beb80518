"""The settings of a simulated shop."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pydantic

from trainer.settings import Settings

LEAST_EVENTS = 3
"""Events of every user: a history, a validation target and a test target."""

Share = Annotated[float, pydantic.Field(ge=0, le=1, allow_inf_nan=False)]
# A log of nothing but successors, repeats or one category a user has no long run to speak of.
NotAll = Annotated[float, pydantic.Field(ge=0, le=0.95, allow_inf_nan=False)]


class SimulationConfig(Settings):
    """What is planted. The README beside this file gives the model and its symbols."""

    users: int = pydantic.Field(5_000, ge=1, le=1_000_000)
    events_per_user: float = pydantic.Field(20.0, ge=LEAST_EVENTS, le=500, allow_inf_nan=False)
    """Mean length of a history (M)."""
    length_shape: float = pydantic.Field(2.0, gt=0, le=1_000, allow_inf_nan=False)
    """Shape of the lengths' negative binomial (g); the smaller, the more they differ."""
    clusters: int = pydantic.Field(4, ge=1, le=64)
    """Planted clusters (K); 1 is a log without clusters."""
    sizes: float | tuple[float, ...] = pydantic.Field(0.0, validate_default=True)
    """Exponent of a Zipf law for the clusters' sizes (0 = all equal), or a size for each cluster,
    relative to the others."""
    drift: Share = pydantic.Field(0.0, validate_default=True)
    """Share of the users who move to another cluster half way through the period."""
    taste: Share = 0.8
    """How distinct the clusters' favourite categories are (d): 0 = the same, 1 = disjoint."""
    habits: Share = 0.5
    """How distinct the clusters' successors of an item are (h): 0 = the same, 1 = disjoint."""
    hours: Share = 0.0
    """How distinct the clusters' hours of the day are."""
    prices: Share = 0.0
    """How distinct the clusters' price levels are; at 1 the highest is four times the lowest."""
    individuality: NotAll = 0.0
    """How much the users of one cluster differ in taste (the intra-class correlation of the
    categories that one user takes by taste)."""
    noise: Share = 0.1
    """Share of events drawn from popularity alone (v)."""
    repeats: NotAll = 0.0
    """Of the other events after a user's first, the share that buys an own item again (r)."""
    follows: NotAll = 0.5
    """Of the events left after that, the share of successors of the latest item (f)."""
    successors: int = pydantic.Field(4, ge=1, le=50)
    """Successors of an item that all users share, and as many of each cluster's own (s)."""
    views: float = pydantic.Field(0.0, ge=0, le=50, allow_inf_nan=False)
    """Mean number of other items that are viewed for each decision; 0 = no funnel, every event is a
    purchase."""
    carts: Share = 0.5
    """With a funnel, the share of the decisions whose item is put into the cart."""
    purchases: Share = 0.5
    """Of these, the share whose item is bought."""
    categories: int = pydantic.Field(24, ge=1, le=1_000, validate_default=True)
    items: int = pydantic.Field(1_000, ge=2, le=100_000, validate_default=True)
    popularity: float = pydantic.Field(1.0, ge=0, le=3, allow_inf_nan=False)
    """Exponent of the items' Zipf law (a)."""
    session_events: float = pydantic.Field(2.0, ge=1, le=100, allow_inf_nan=False)
    """Mean number of events in a session."""
    days: int = pydantic.Field(365, ge=7, le=10_000)
    """Length of the period, which ends with the year 2024 (UTC)."""
    seed: int = pydantic.Field(1, ge=0, lt=2**31)

    @pydantic.field_validator("sizes")
    @classmethod
    def _a_user_in_each_cluster(
        cls, value: float | tuple[float, ...], info: pydantic.ValidationInfo
    ) -> float | tuple[float, ...]:
        clusters, users = info.data.get("clusters"), info.data.get("users")
        if isinstance(value, float):
            if not 0 <= value <= 10:
                raise ValueError("the exponent must be from 0 (equal sizes) to 10")
        elif clusters is not None and len(value) != clusters:
            raise ValueError(f"{len(value)} sizes for {clusters} clusters; give one for each")
        elif not all(0 < size < float("inf") for size in value):
            raise ValueError("every size must be above 0")
        if clusters is None or users is None:
            return value
        if cluster_counts(users, _shares(value, clusters)).min() < 1:
            raise ValueError(
                f"{users:,} users are too few: the smallest of {clusters} clusters would have "
                "none; take more users or more equal sizes"
            )
        return value

    @pydantic.field_validator("drift")
    @classmethod
    def _somewhere_to_go(cls, value: float, info: pydantic.ValidationInfo) -> float:
        if value > 0 and info.data.get("clusters") == 1:
            raise ValueError("users cannot move to another cluster: there is only one")
        return value

    @pydantic.field_validator("categories")
    @classmethod
    def _a_category_for_each_cluster(cls, value: int, info: pydantic.ValidationInfo) -> int:
        clusters = info.data.get("clusters", 1)
        if value < clusters:
            raise ValueError(
                f"{clusters} clusters need at least {clusters} categories, each its own favourites;"
                " take more categories or fewer clusters"
            )
        return value

    @pydantic.field_validator("items")
    @classmethod
    def _enough_successors(cls, value: int, info: pydantic.ValidationInfo) -> int:
        if not {"clusters", "habits", "successors", "categories"} <= info.data.keys():
            return value
        lists = info.data["clusters"] + 1 if info.data["habits"] > 0 else 1
        least = lists * info.data["successors"] + 1
        needed = least * info.data["categories"]
        if value < needed:
            raise ValueError(
                f"{info.data['categories']} categories need at least {needed:,} items: the "
                f"successors of an item are {least - 1} others of its category, "
                f"{info.data['successors']} for each of {lists} lists; take more items, or fewer "
                "categories, clusters or successors"
            )
        return value

    def cluster_shares(self) -> np.ndarray:
        """Float64 [clusters]: the clusters' shares of the users, asked for."""
        return _shares(self.sizes, self.clusters)


def cluster_counts(users: int, shares: np.ndarray) -> np.ndarray:
    """Whole users by cluster, by the method of largest remainders.

    Args:
        users: how many in all.
        shares: float64 [clusters], adding up to 1.

    Returns:
        int64 [clusters], adding up to `users`.
    """
    wanted = users * shares
    counts = np.floor(wanted).astype(np.int64)
    remainders = np.argsort(counts - wanted, kind="stable")
    counts[remainders[: users - counts.sum()]] += 1
    return counts


def _shares(sizes: float | tuple[float, ...], clusters: int) -> np.ndarray:
    relative: Any = sizes
    if isinstance(sizes, float):
        relative = np.arange(1, clusters + 1) ** -sizes
    weights = np.asarray(relative, np.float64)
    return weights / weights.sum()
