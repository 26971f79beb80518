"""How a count is spread over the users: a box plot on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from components.run_report.charts.axes import Scale, log_ticks
from components.run_report.charts.svg import Drawing
from components.run_report.formats import compact, decimal

NAMES = ("min", "p25", "median", "p75", "p99", "max")


def quantile_chart(
    quantiles: Mapping[str, float], *, label: str, x_title: str, colour: str, width: int = 460
) -> Markup:
    """Box from the lower to the upper quartile, line at the median, whisker to the 99th percentile.

    Args:
        quantiles: all of `NAMES`, in one unit, not negative.
        label: what the chart shows, for screen readers.
        x_title: name of the axis.
        colour: of the box.
        width: of the view box.
    """
    height = 120
    drawing = Drawing(width, height, label)
    q = {name: max(quantiles[name], 1.0) for name in NAMES}
    x = Scale(q["min"], max(q["max"], q["min"] * 2), 24, width - 24, log=True)
    middle, bottom = 44.0, 80.0
    for value in log_ticks(x.low, x.high):
        drawing.line(x(value), 14, x(value), bottom, "grid")
        drawing.text(x(value), bottom + 16, compact(value), "middle", "axis")
    drawing.text(width / 2, height - 5, f"{x_title} (logarithmic)", "middle", "axis")
    drawing.line(x(q["min"]), middle, x(q["p99"]), middle, "interval")
    for name in ("min", "p99"):
        drawing.line(x(q[name]), middle - 7, x(q[name]), middle + 7, "interval")
    drawing.add(
        "rect", title=f"half of the users: {decimal(q['p25'])} to {decimal(q['p75'])}",
        x=x(q["p25"]), y=middle - 15, width=max(x(q["p75"]) - x(q["p25"]), 2), height=30,
        fill=colour, fill_opacity=0.55, stroke=colour,
    )  # fmt: skip
    drawing.line(x(q["median"]), middle - 15, x(q["median"]), middle + 15, "median")
    drawing.add(
        "circle", title=f"most: {decimal(q['max'])}", cx=x(q["max"]), cy=middle, r=3.5,
        class_="ring",
    )  # fmt: skip
    return drawing.svg()
