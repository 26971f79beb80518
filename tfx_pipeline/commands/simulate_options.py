"""The options of `cohortrec simulate`.

They stand apart from the settings that they fill in, so that the command line's help needs no
import of NumPy and polars. Their names are the settings' with dashes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

_Option = tuple[str, Callable[[str], Any], str, str]


def _sizes(text: str) -> float | tuple[float, ...]:
    """`equal`, an exponent, or a list with commas."""
    if text == "equal":
        return 0.0
    numbers = tuple(float(part) for part in text.split(","))
    return numbers if len(numbers) > 1 else numbers[0]


# argparse names the type in its message: "invalid sizes value".
_sizes.__name__ = "sizes"

_SHOP: Sequence[_Option] = (
    ("items", int, "V", "items of the shop (default 1000)"),
    ("categories", int, "C", "categories of the items, at least one a cluster (default 24)"),
    ("popularity", float, "A", "exponent of the items' Zipf law, 0 = all alike (default 1.0)"),
    ("successors", int, "S", "items that usually follow an item, a list (default 4)"),
    ("days", int, "D", "length of the period, which ends with 2024 (default 365)"),
    ("seed", int, "N", "the same seed and settings give the same files (default 1)"),
)
_USERS: Sequence[_Option] = (
    ("users", int, "N", "users (default 5000)"),
    ("events-per-user", float, "M", "mean length of a history, from 3 up (default 20.0)"),
    ("length-shape", float, "G", "the smaller, the more the lengths differ (default 2.0)"),
    ("session-events", float, "M", "mean number of events in a session (default 2.0)"),
    ("noise", float, "P", "share of events by popularity alone (default 0.1)"),
    ("repeats", float, "P", "of the others, the share that repeats an own item (default 0.0)"),
    ("follows", float, "P", "of the rest, the share that follows the latest item (default 0.5)"),
    ("views", float, "M", "mean of other items viewed before a purchase, 0 = none (default 0.0)"),
    ("carts", float, "P", "with views, the share of decisions that reach the cart (default 0.5)"),
    ("purchases", float, "P", "the share of carts that are bought (default 0.5)"),
    ("individuality", float, "D", "how much users of one cluster differ in taste (default 0.0)"),
)
_CLUSTERS: Sequence[_Option] = (
    ("clusters", int, "K", "planted clusters; 1 plants none (default 4)"),
    ("sizes", _sizes, "S", "exponent of a Zipf law, 0 = equal, or K sizes 3,2,1 (default 0.0)"),
    ("drift", float, "P", "share of users who change their cluster half way (default 0.0)"),
    ("taste", float, "D", "how distinct the favourite categories are (default 0.8)"),
    ("habits", float, "D", "how distinct it is what follows an item (default 0.5)"),
    ("hours", float, "D", "how distinct the hours of the day are (default 0.0)"),
    ("prices", float, "D", "how distinct the price levels are (default 0.0)"),
)
_GROUPS = {
    "clusters (distinctness from 0 = all the same to 1)": _CLUSTERS,
    "users and their events": _USERS,
    "shop": _SHOP,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds an option for every setting of `SimulationConfig`."""
    for title, options in _GROUPS.items():
        group = parser.add_argument_group(title)
        for name, kind, metavar, text in options:
            group.add_argument(f"--{name}", type=kind, metavar=metavar, help=text)


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given on the command line."""
    names = [name.replace("-", "_") for options in _GROUPS.values() for name, *_ in options]
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}
