"""Where users went from one moment to the next: bands between two columns of clusters."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.svg import Drawing, number
from components.run_report.formats import percent

_GAP = 16
_NODE = 12
FAINTEST = 0.005
"""Flows of a smaller share of all users are not drawn."""


@dataclasses.dataclass(frozen=True)
class Place:
    """A cluster on one side of the chart."""

    name: str
    colour: str


def flow_chart(
    before: Sequence[Place],
    after: Sequence[Place],
    flows: Sequence[Sequence[int]],
    *,
    label: str,
    titles: tuple[str, str],
    description: str = "",
    width: int = 820,
    name_width: int = 240,
) -> Markup:
    """An alluvial diagram: the thickness of a band is the number of users.

    Args:
        before: clusters of the earlier moment, drawn on the left.
        after: those of the later one, drawn on the right.
        flows: users by place before and after; the sum is at least 1.
        label: what the chart shows, for screen readers.
        titles: of the two columns.
        description: what it says, for screen readers.
        width: of the view box.
        name_width: room for the names on either side.
    """
    total = sum(map(sum, flows))
    places = max(len(before), len(after))
    height = max(260.0, 26.0 * places)
    unit = (height - _GAP * (places - 1)) / total
    drawing = Drawing(width, round(height) + 34, label, description)
    left, right = name_width, width - name_width
    sizes = ([sum(row) for row in flows], [sum(column) for column in zip(*flows, strict=True)])
    tops = [_tops(side, unit, height) for side in sizes]
    drawing.text(left, 14, titles[0], "end", "strong")
    drawing.text(right, 14, titles[1], "start", "strong")
    starts, ends = list(tops[0]), list(tops[1])
    for i, row in enumerate(flows):
        for j, users in enumerate(row):
            if users >= FAINTEST * total:
                title = f"{before[i].name} → {after[j].name}: {users:,} users"
                band = _band(left, starts[i], right - _NODE, ends[j], users * unit)
                drawing.add(
                    "path", title=title, d=band, fill=before[i].colour, fill_opacity=0.42,
                )  # fmt: skip
            starts[i] += users * unit
            ends[j] += users * unit
    for x, anchor, side, counts, y in (
        (left - _NODE, "end", before, sizes[0], tops[0]),
        (right - _NODE, "start", after, sizes[1], tops[1]),
    ):
        for place, users, top in zip(side, counts, y, strict=True):
            _node(drawing, place, x, anchor, top, users * unit, percent(users / total, 0))
    return drawing.svg()


def _tops(sizes: Sequence[int], unit: float, height: float) -> list[float]:
    """Where each place begins, the column centred."""
    free = height - sum(sizes) * unit - _GAP * (len(sizes) - 1)
    y, tops = 28 + free / 2, []
    for users in sizes:
        tops.append(y)
        y += users * unit + _GAP
    return tops


def _band(x1: float, y1: float, x2: float, y2: float, thickness: float) -> str:
    """A band that leaves and arrives horizontally."""
    middle = number((x1 + x2) / 2)
    a, b, c, d = (number(y) for y in (y1, y2, y1 + thickness, y2 + thickness))
    left, right = number(x1), number(x2)
    return (
        f"M{left} {a}C{middle} {a} {middle} {b} {right} {b}V{d}"
        f"C{middle} {d} {middle} {c} {left} {c}Z"
    )


def _node(
    drawing: Drawing, place: Place, x: float, anchor: str, top: float, height: float, share: str
) -> None:
    drawing.add(
        "rect", title=f"{place.name}: {share}", x=x, y=top, width=_NODE,
        height=max(height, 1), fill=place.colour,
    )  # fmt: skip
    at = x - 6 if anchor == "end" else x + _NODE + 6
    drawing.text(at, top + height / 2 + 4, f"{place.name} {share}", anchor, "axis")
