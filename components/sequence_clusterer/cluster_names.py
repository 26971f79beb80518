"""A short name for each cluster from the traits that tell it apart.

A name has up to three parts: when and how much its users shop, what they prefer, and what their
baskets are like, as in "evening shoppers · snacks, soft drinks · small baskets". Only significant
traits make a name, so a cluster that nothing tells apart is called just that.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

_SEPARATOR = " · "
_TASTES = 2
_LONGEST_TASTE = 32
# What few users of a cluster do is no name for all of them, however certain it is.
_LEAST_REACH = 0.1
_DAY_PARTS = ("night shoppers", "morning shoppers", "afternoon shoppers", "evening shoppers")
# More of it, less of it.
_HABITS = {
    "weekend_share": ("weekend shoppers", "weekday shoppers"),
    "events_per_week": ("frequent shoppers", "occasional shoppers"),
    "baskets": ("many visits", "few visits"),
}
# Follows from visits and the size of baskets, and is said where those are not.
_LENGTH = {"events": ("long histories", "short histories")}
_BASKETS = {
    "basket_size": ("large baskets", "small baskets"),
    "basket_value": ("expensive baskets", "cheap baskets"),
    "price_level": ("high prices", "low prices"),
    "spend": ("high spend", "low spend"),
    "repeat_share": ("many repeats", "few repeats"),
}
# Levels of a category: "grocery / soft drinks", "grocery > soft drinks", "electronics.audio".
_LEVELS = re.compile(r"\s+[/>|]\s+|(?<=[^\W\d])\.(?=[^\W\d])")


def add_names(profiles: list[dict[str, Any]]) -> None:
    """Adds `name`, different for every cluster, in place.

    Args:
        profiles: from `profiles.profile_clusters`, with titles.
    """
    categories = {
        trait["value"]
        for profile in profiles
        for trait in profile["traits"]
        if trait["kind"] == "category"
    }
    leaves = Counter(_leaf(category) for category in categories)
    for profile in profiles:
        profile["name"] = _name(profile, {leaf for leaf, count in leaves.items() if count > 1})
    names = Counter(profile["name"] for profile in profiles)
    for profile in profiles:
        if names[profile["name"]] > 1:
            profile["name"] += f" (cluster {profile['cluster']})"


def _name(profile: dict[str, Any], ambiguous: set[str]) -> str:
    """The name of one cluster, perhaps that of another as well."""
    habits, lengths, tastes, titles, ids, baskets = [], [], [], [], [], []
    for trait in profile["traits"]:  # the most certain first
        more = trait["lift"] > 1.0
        kind, value = trait["kind"], trait["value"]
        if kind == "measure":
            for words, said in ((_HABITS, habits), (_LENGTH, lengths), (_BASKETS, baskets)):
                said += [words[value][not more]] if value in words else []
        elif not more or trait["reach"] < _LEAST_REACH:
            continue
        elif kind == "day_part":
            habits.append(_DAY_PARTS[value])
        elif kind == "action":
            baskets.append(f"many {value} events")
        elif kind == "category":
            leaf = _leaf(value)
            tastes.append(_plain(value) if leaf in ambiguous else leaf)
        elif trait.get("title"):
            titles.append(_plain(trait["title"]))
        else:
            ids.append(f"item {value}")
    preferred = list(dict.fromkeys(tastes or titles or ids))[:_TASTES]
    if not (habits or baskets):
        habits = lengths
    parts = [*habits[:1], ", ".join(map(_short, preferred)), *baskets[:1]]
    name = _SEPARATOR.join(part for part in parts if part)
    return name or f"cluster {profile['cluster']} (no distinguishing traits)"


def _leaf(category: str) -> str:
    """The most special level of a category that has one."""
    levels = [level for level in _LEVELS.split(category) if level.strip()]
    return _plain(levels[-1] if levels else category)


def _plain(text: str) -> str:
    """Without capitals, which make shops' own names hard to read, and in one line."""
    return " ".join(text.lower().replace("_", " ").split())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TASTE else f"{text[: _LONGEST_TASTE - 1].rstrip()}…"
