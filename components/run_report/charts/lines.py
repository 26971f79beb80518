"""A measure over whole numbers (epochs, K): one line, one point marked, intervals if given."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale, padded, ticks, whole_ticks
from components.run_report.charts.flags import draw_flags, room
from components.run_report.charts.svg import Drawing
from components.run_report.formats import compact


@dataclasses.dataclass(frozen=True)
class Point:
    """One measured point, with the ends of its interval where there is one."""

    x: int
    y: float
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class Mark:
    """A point that the text talks about."""

    x: int
    label: str


def line_chart(
    points: Sequence[Point],
    *,
    label: str,
    x_title: str,
    colour: str,
    marks: Sequence[Mark] = (),
    width: int = 460,
    height: int = 250,
    decimals: int | None = None,
) -> Markup:
    """Draws the points in order of x.

    Args:
        points: at least one.
        label: what the chart shows, for screen readers.
        x_title: name of the horizontal axis.
        colour: of the line.
        marks: points to mark; those that have no point are left out.
        width: of the view box.
        height: of the view box.
        decimals: of the vertical axis labels; compact numbers when None.
    """
    drawing = Drawing(width, height, label)
    by_x = {point.x: point for point in points}
    shown_marks = [mark for mark in marks if mark.x in by_x]
    left, right, top, bottom = 58, width - 14, room(len(shown_marks)) + 6, height - 40
    ends = [v for p in points for v in (p.y, p.low, p.high) if v is not None]
    xs = [p.x for p in points]
    y = Scale(*padded(ends), bottom, top)
    x = Scale(min(xs), max(xs), left + 14, right - 14)
    drawing.plot_sides(left, right)
    values = _value_ticks(y.low, y.high, 5 if height > 200 else 3)
    drawing.y_axis(
        y, values, [compact(v) if decimals is None else f"{v:.{decimals}f}" for v in values]
    )
    shown = whole_ticks(xs, 10 if width > 300 else 5)
    drawing.x_labels([x(v) for v in shown], [str(v) for v in shown], bottom + 17)
    drawing.text((left + right) / 2, height - 5, x_title, "middle", "axis")
    for point in points:
        if point.low is not None and point.high is not None:
            at = x(point.x)
            for x1, y1, x2, y2 in (
                (at, y(point.low), at, y(point.high)),
                (at - 4, y(point.low), at + 4, y(point.low)),
                (at - 4, y(point.high), at + 4, y(point.high)),
            ):
                drawing.line(x1, y1, x2, y2, "interval")
    drawing.path([(x(p.x), y(p.y)) for p in points], colour)
    for point in points:
        drawing.add(
            "circle", title=f"{x_title} {point.x}: {point.y:.4g}",
            cx=x(point.x), cy=y(point.y), r=3 if len(points) < 40 else 1.5, fill=colour,
        )  # fmt: skip
    for mark in shown_marks:
        drawing.add("circle", cx=x(mark.x), cy=y(by_x[mark.x].y), r=7, class_="ring")
    draw_flags(drawing, [(x(mark.x), mark.label) for mark in shown_marks], bottom)
    return drawing.svg()


def _value_ticks(low: float, high: float, about: int) -> list[float]:
    """At least three ticks: fewer do not show what the distances are worth."""
    found = ticks(low, high, about)
    return found if len(found) > 2 else ticks(low, high, about + 3)
