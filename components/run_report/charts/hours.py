"""At which hours of the day a cluster is active."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale
from components.run_report.charts.svg import Drawing
from components.run_report.formats import percent


def hours_chart(shares: Sequence[float], colour: str) -> Markup:
    """24 small columns.

    Args:
        shares: of the events, by hour of the day (UTC), 24 values.
        colour: of the columns.
    """
    width, bottom = 250, 46
    drawing = Drawing(width, bottom + 15, "Events by hour of the day")
    y = Scale(0.0, max([*shares, 1e-9]), bottom, 4)
    step = (width - 10) / 24
    for hour, share in enumerate(shares):
        drawing.add(
            "rect", title=f"{hour}:00 to {hour + 1}:00: {percent(share)}", x=5 + hour * step,
            y=y(share), width=step - 1.5, height=bottom - y(share), fill=colour,
        )  # fmt: skip
    drawing.line(5, bottom, width - 5, bottom, "grid")
    for hour in (0, 6, 12, 18):
        drawing.text(5 + hour * step + step / 2, bottom + 13, f"{hour}h", "middle", "axis")
    return drawing.svg()
