"""Events over time, with the cuts between training, validation and test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale, ticks, time_ticks
from components.run_report.charts.flags import draw_flags, room
from components.run_report.charts.svg import Drawing
from components.run_report.formats import compact, integer


def timeline(
    starts: Sequence[dt.datetime],
    events: Sequence[int],
    cuts: Sequence[tuple[dt.datetime, str]],
    *,
    colour: str,
    width: int = 960,
    height: int = 230,
) -> Markup:
    """Draws one column a period.

    Args:
        starts: beginning of every period, ascending; the last is as long as the one before.
        events: events in it.
        cuts: moments to mark, with their names.
        colour: of the columns.
        width: of the view box.
        height: of the view box.
    """
    drawing = Drawing(width, height, "Events over time")
    length = starts[-1] - starts[-2] if len(starts) > 1 else dt.timedelta(days=1)
    last = starts[-1] + length
    inside = [(moment, name) for moment, name in cuts if starts[0] <= moment <= last]
    left, right, top, bottom = 58, width - 10, room(len(inside)), height - 26
    x = Scale(starts[0].timestamp(), last.timestamp(), left, right)
    y = Scale(0.0, max([*events, 1]) * 1.05, bottom, top)
    drawing.plot_sides(left, right)
    values = ticks(0.0, y.high, 4)
    drawing.y_axis(y, values, [compact(v) for v in values])
    for start, stop, count in zip(starts, [*starts[1:], last], events, strict=True):
        x1, x2 = x(start.timestamp()), x(stop.timestamp())
        drawing.add(
            "rect", title=f"from {start:%Y-%m-%d %H:%M}: {integer(count)} events", x=x1,
            y=y(count), width=max(x2 - x1 - 1, 0.5), height=bottom - y(count), fill=colour,
        )  # fmt: skip
    marks = time_ticks(starts[0], last)
    drawing.x_labels([x(m.timestamp()) for m, _ in marks], [n for _, n in marks], bottom + 17)
    draw_flags(drawing, [(x(moment.timestamp()), name) for moment, name in inside], bottom)
    return drawing.svg()
