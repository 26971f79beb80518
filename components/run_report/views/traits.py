"""What tells a cluster apart, in words."""

from __future__ import annotations

import dataclasses
import math

from components.run_report import formats as fmt
from components.sequence_clusterer.profiles_record import Trait
from trainer.artifact_record import Measure

MOST = 6
_END = 4.0
_DAY_PARTS = ("Night (0–6 h)", "Morning (6–12 h)", "Afternoon (12–18 h)", "Evening (18–24 h)")
_MEASURES = {
    "events": "Events per user",
    "events_per_week": "Events a week",
    "baskets": "Baskets per user",
    "basket_size": "Events per basket",
    "repeat_share": "Share of repeats",
    "weekend_share": "Share at weekends",
    "spend": "Spend per user",
    "basket_value": "Basket value",
    "price_level": "Price level",
}


@dataclasses.dataclass(frozen=True)
class TraitRow:
    """A significant difference from all users.

    `left` and `width` place a bar, in per cent of its room: from the middle, a lift of 1, to the
    right for more and to the left for less, on a logarithmic scale that ends at 4 and 1/4.
    """

    name: str
    lift: str
    interval: str
    left: float
    width: float


def trait_rows(traits: list[Trait]) -> list[TraitRow]:
    """The most certain traits of a cluster, in their order."""
    rows = []
    for trait in traits[:MOST]:
        left, width = _bar(trait.lift)
        interval = lift_interval(trait.lift_ci)
        rows.append(TraitRow(_name(trait), fmt.lift(trait.lift), interval, left, width))
    return rows


def _bar(lift: float | None) -> tuple[float, float]:
    """Where the bar of a lift begins and how long it is, in per cent."""
    if lift is None or not fmt.known(lift) or lift <= 0:
        return 50.0, 0.0
    length = 50 * min(max(math.log(lift, _END), -1.0), 1.0)
    return round(50 + min(length, 0.0), 1), round(abs(length), 1)


def lift_interval(ends: list[Measure] | None) -> str:
    """[1.27, 2.04] -> "1.3 to 2.0"; empty where there is none."""
    if not ends or len(ends) != 2 or not all(fmt.known(end) for end in ends):
        return ""
    return " to ".join(fmt.lift(end).removesuffix("×") for end in ends)


def _name(trait: Trait) -> str:
    value = trait.value
    if trait.kind == "measure":
        return _MEASURES.get(str(value), fmt.words(str(value)))
    if trait.kind == "day_part" and isinstance(value, int) and 0 <= value < len(_DAY_PARTS):
        return _DAY_PARTS[value]
    if trait.kind == "action":
        return f"Events of kind {value}"
    if trait.kind == "item":
        return trait.title or f"Item {value}"
    return str(value)
