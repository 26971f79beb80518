"""Differences with their intervals around a line at zero (a forest plot)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale, padded, ticks
from components.run_report.charts.svg import Drawing
from components.run_report.formats import signed_percent


@dataclasses.dataclass(frozen=True)
class Difference:
    """A mean and the interval around it, in per cent."""

    name: str
    mean: float
    low: float
    high: float
    colour: str
    detail: str = ""


def interval_chart(
    groups: Sequence[tuple[str, Sequence[Difference]]],
    *,
    label: str,
    x_title: str,
    width: int = 760,
    name_width: int = 290,
) -> Markup:
    """Draws the groups from top to bottom, each with a heading and one line a difference.

    Args:
        groups: heading ("" for none) and differences; at least one difference in all.
        label: what the chart shows, for screen readers.
        x_title: name of the horizontal axis.
        width: of the view box.
        name_width: room for the names.
    """
    row, heading = 24, 26
    rows = sum(len(differences) for _, differences in groups)
    bottom = rows * row + sum(heading for name, _ in groups if name) + 10
    drawing = Drawing(width, bottom + 40, label)
    ends = [end for _, ds in groups for d in ds for end in (d.low, d.high)]
    x = Scale(*padded([*ends, 0.0]), name_width, width - 70)
    values = ticks(x.low, x.high, 6)
    for value in values:
        drawing.text(x(value), bottom + 16, f"{value:+g}%" if value else "0", "middle", "axis")
    drawing.text((x.start + x.end) / 2, bottom + 34, x_title, "middle", "axis")
    y = 6.0
    for name, differences in groups:
        if name:
            drawing.text(4, y + 17, name, "start", "strong")
            y += heading
        # No line crosses a heading.
        end = y + len(differences) * row
        for value in values:
            drawing.line(x(value), y, x(value), end, "median" if value == 0 else "grid")
        for difference in differences:
            _row(drawing, difference, x, y + row / 2)
            y += row
    return drawing.svg()


def _row(drawing: Drawing, difference: Difference, x: Scale, y: float) -> None:
    drawing.text(x.start - 10, y + 4, difference.name, "end", "axis")
    for end in (difference.low, difference.high):
        drawing.line(x(end), y - 4, x(end), y + 4, "interval")
    drawing.line(x(difference.low), y, x(difference.high), y, "interval")
    drawing.add(
        "circle", title=difference.detail, cx=x(difference.mean), cy=y, r=4.5,
        fill=difference.colour,
    )  # fmt: skip
    drawing.text(x.end + 6, y + 4, signed_percent(difference.mean / 100), "start", "axis")
