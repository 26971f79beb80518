"""A short name for each cluster from the traits that tell it apart.

A name has up to three parts: when and how much its users shop, what they prefer, and what their
baskets are like, as in "evening shoppers · snacks, soft drinks · small baskets". Only significant
traits make a name, so a cluster that nothing tells apart is called just that.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any

_SEPARATOR = " · "
_TASTES = 2
_LONGEST_TASTE = 32
# What few users of a cluster do is no name for all of them, however certain it is.
_LEAST_REACH = 0.1
_DAY_PARTS = ("night shoppers", "morning shoppers", "afternoon shoppers", "evening shoppers")
# Which part of a name a measure belongs to, and what more and less of it is called.
_MEASURES = {
    "weekend_share": ("habit", "weekend shoppers", "weekday shoppers"),
    "events_per_week": ("habit", "frequent shoppers", "occasional shoppers"),
    "baskets": ("habit", "many visits", "few visits"),
    "basket_size": ("basket", "large baskets", "small baskets"),
    "basket_value": ("basket", "expensive baskets", "cheap baskets"),
    "price_level": ("basket", "high prices", "low prices"),
    "spend": ("basket", "high spend", "low spend"),
    "repeat_share": ("basket", "many repeats", "few repeats"),
    # Follows from visits and baskets, and is said where there are none of them.
    "events": ("length", "long histories", "short histories"),
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
    said: defaultdict[str, list[str]] = defaultdict(list)
    for trait in profile["traits"]:  # the most certain first
        part, phrase = _phrase(trait, ambiguous)
        if phrase not in said[part]:
            said[part].append(phrase)
    habits = said["habit"] or (said["length"] if not said["basket"] else [])
    tastes = said["category"] or said["title"] or said["id"]
    parts = (*habits[:1], ", ".join(map(_short, tastes[:_TASTES])), *said["basket"][:1])
    name = _SEPARATOR.join(part for part in parts if part)
    return name or f"cluster {profile['cluster']} (no distinguishing traits)"


def _phrase(trait: dict[str, Any], ambiguous: set[str]) -> tuple[str, str]:
    """Which part of a name a trait can be, and the words; the part is "" where it can be none."""
    kind, value, more = trait["kind"], trait["value"], trait["lift"] > 1.0
    if kind == "measure":
        part, high, low = _MEASURES[value]
        return part, high if more else low
    if not more or trait["reach"] < _LEAST_REACH:
        return "", ""
    if kind == "day_part":
        return "habit", _DAY_PARTS[value]
    if kind == "action":
        return "basket", f"many {value} events"
    if kind == "category":
        leaf = _leaf(value)
        return "category", _plain(value) if leaf in ambiguous else leaf
    if trait.get("title"):
        return "title", _plain(trait["title"])
    return "id", f"item {value}"


def _leaf(category: str) -> str:
    """The most special level of a category that has one."""
    levels = [level for level in _LEVELS.split(category) if level.strip()]
    return _plain(levels[-1] if levels else category)


def _plain(text: str) -> str:
    """Without capitals, which make shops' own names hard to read, and in one line."""
    return " ".join(text.lower().replace("_", " ").split())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TASTE else f"{text[: _LONGEST_TASTE - 1].rstrip()}…"
