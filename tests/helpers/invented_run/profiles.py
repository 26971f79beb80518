"""Profiles of invented clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from components.sequence_clusterer.profiles_record import (
    ClusterProfile,
    LiftedCategory,
    LiftedItem,
    ProfilesRecord,
    ProfileTests,
    Trait,
)
from tests.helpers.invented_run.hostile import HOSTILE

HOURS = ("night", "morning", "afternoon", "evening")
CATEGORIES = ("SOFT DRINKS", "FLUID MILK PRODUCTS", "BAKED BREAD", "CHEESE", "BABY FOODS", "WINE")
ITEMS = ("2% milk, gallon", "White bread, 20 oz", "Cheddar, shredded", "Bananas", "Pinot noir")


def write_profiles(
    folder: Path, sizes: list[int], actions: tuple[str, ...], rng: np.random.Generator
) -> None:
    """A profile for each cluster, with tested traits and a hostile title."""
    profiles = []
    for i, size in enumerate(sizes):
        hours = np.exp(-(((np.arange(24) - 10 - 2 * i) / 4.0) ** 2)) + 0.02
        shares = rng.dirichlet(np.ones(len(actions)) * 4)
        profiles.append(
            cluster_profile(
                i,
                f"{HOURS[i % 4]} shoppers · {CATEGORIES[i % 3].lower()} · small baskets",
                users=size,
                share=size / sum(sizes),
                events_per_user_median=120.5 + 100 * i,
                span_days_median=331.2 - 20 * i,
                top_items=[
                    LiftedItem(
                        item_id=f"00{i}{j}",
                        title=HOSTILE if (i, j) == (0, 0) else title,
                        **with_test(
                            4.2 / (j + 1) + 0.8,
                            [4.0 / (j + 1) + 0.7, 4.4 / (j + 1) + 0.9],
                            share=0.31 / (j + 1),
                            significant=j < 2,
                        ),
                    )
                    for j, title in enumerate((*ITEMS[1:], ""))
                ],
                top_categories=[
                    LiftedCategory(
                        category=name, **with_test(3.1 - 0.4 * j, None, share=0.09 / (j + 1))
                    )
                    for j, name in enumerate(CATEGORIES[i % 3 :])
                ],
                actions=dict(zip(actions, shares.tolist(), strict=True)),
                hours=(hours / hours.sum()).tolist(),
                price_median=2.49 + i,
                traits=[
                    trait("day_part", i % 4, 1.84, [1.62, 2.06]),
                    trait("category", HOSTILE, 1.5, [1.31, 1.7]),
                    trait("item", "0040", 3.0, None),
                    trait("action", "view", 1.3, [1.2, 1.4]),
                    trait("measure", "basket_size", 0.6, [0.5, 0.7]),
                ],
            )
        )
    ProfilesRecord(clusters=profiles, users=sum(sizes)).write(str(folder))


def with_test(
    lift: float | None, ends: list[float] | None, share: float = 0.1, significant: bool = True
) -> dict[str, Any]:
    """What every tested figure has."""
    figures = {"share": share, "overall": 0.1, "lift": lift, "lift_ci": ends}
    return {**figures, "p_value": 0.001, "q_value": 0.002, "significant": significant}


def trait(kind: str, value: str | int, lift: float | None, ends: list[float] | None) -> Trait:
    return Trait(kind=kind, value=value, reach=0.4, z=5.0, **with_test(lift, ends))


def cluster_profile(cluster: int, name: str, **figures: Any) -> ClusterProfile:
    """A profile with as much as is given, the rest empty."""
    empty: dict[str, Any] = {
        "lasting_id": cluster, "last_name": None, "users": 0, "share": 0.0,
        "events_per_user_median": None, "span_days_median": None, "top_items": [],
        "top_categories": [], "actions": {}, "hours": [], "price_median": None, "traits": [],
        "tests": {key: [] for key in ProfileTests.model_fields},
    }  # fmt: skip
    return ClusterProfile.model_validate({**empty, "cluster": cluster, "name": name, **figures})
