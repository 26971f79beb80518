"""Horizontal bars: one measure of several groups, for one or several models side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale, ticks
from components.run_report.charts.svg import Drawing
from components.run_report.formats import compact


@dataclasses.dataclass(frozen=True)
class Bar:
    """One bar: its length, its colour and how its value is written."""

    value: float | None
    colour: str
    text: str
    title: str = ""


@dataclasses.dataclass(frozen=True)
class Group:
    """Bars that belong together, with a name and a second line below it."""

    name: str
    bars: tuple[Bar, ...]
    detail: str = ""


def bar_chart(
    groups: Sequence[Group],
    *,
    label: str,
    description: str = "",
    x_title: str = "",
    width: int = 460,
    name_width: int = 110,
    bar_height: int = 16,
    highest: float | None = None,
) -> Markup:
    """Draws the groups from top to bottom; bars start at zero.

    Args:
        groups: at least one.
        label: what the chart shows, for screen readers.
        description: what it says, for screen readers.
        x_title: name of the horizontal axis; no axis when empty.
        width: of the view box.
        name_width: room for the group names.
        bar_height: of one bar.
        highest: end of the axis; the highest value when None.
    """
    gap = 14 if len(groups[0].bars) > 1 else 8
    heights = [
        max(len(group.bars) * bar_height, 32 if group.detail else 16) + gap for group in groups
    ]
    bottom = sum(heights) + 6
    drawing = Drawing(width, bottom + (38 if x_title else 4), label, description)
    if highest is None:
        highest = max((bar.value or 0.0 for group in groups for bar in group.bars), default=0.0)
    longest = max(len(bar.text) for group in groups for bar in group.bars)
    x = Scale(0.0, highest or 1.0, name_width, width - 10 - 8 * longest)
    if x_title:
        for value in ticks(0.0, x.high, 5):
            drawing.line(x(value), 0, x(value), bottom, "grid")
            drawing.text(x(value), bottom + 16, compact(value), "middle", "axis")
        drawing.text((x.start + x.end) / 2, bottom + 33, x_title, "middle", "axis")
    top = 6.0
    for group, height in zip(groups, heights, strict=True):
        _group(drawing, group, x, top, height - gap, bar_height)
        top += height
    return drawing.svg()


def _group(
    drawing: Drawing, group: Group, x: Scale, top: float, height: float, bar_height: int
) -> None:
    """One group: name on the left, bars with their values on the right."""
    middle = top + height / 2
    drawing.text(x.start - 10, middle + (-3 if group.detail else 4), group.name, "end", "strong")
    if group.detail:
        drawing.text(x.start - 10, middle + 13, group.detail, "end", "axis")
    first = middle - len(group.bars) * bar_height / 2
    for i, bar in enumerate(group.bars):
        y = first + i * bar_height
        length = max(x(bar.value or 0.0) - x.start, 0.0)
        drawing.add(
            "rect", title=bar.title, x=x.start, y=y + 1, width=length, height=bar_height - 2,
            rx=1.5, fill=bar.colour,
        )  # fmt: skip
        drawing.text(x.start + length + 5, y + bar_height / 2 + 4, bar.text, "start", "axis")
