"""What was predicted against what happened: one dot a group, on the diagonal where both agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale, ticks
from components.run_report.charts.svg import Drawing
from components.run_report.formats import integer, percent


@dataclasses.dataclass(frozen=True)
class Dot:
    """A group of moments: how many, the mean probability, the share at which it happened."""

    moments: int
    predicted: float
    observed: float


def calibration_chart(
    dots: Sequence[Dot], *, label: str, colour: str, width: int = 480, height: int = 420
) -> Markup:
    """Draws the dots over a square with its diagonal.

    Args:
        dots: at least one.
        label: what the chart shows, for screen readers.
        colour: of the dots.
        width: of the view box.
        height: of the view box.
    """
    drawing = Drawing(width, height, label)
    left, right, top, bottom = 58, width - 14, 12, height - 46
    # One scale for both axes, so that the diagonal is where they agree.
    high = max(max(dot.predicted, dot.observed) for dot in dots) * 1.08 or 1.0
    x, y = Scale(0.0, high, left, right), Scale(0.0, high, bottom, top)
    values = ticks(0.0, high, 4)
    digits = 0 if high > 0.1 else 1 if high > 0.01 else 2
    labels = [percent(value, digits) for value in values]
    drawing.plot_sides(left, right)
    drawing.y_axis(y, values, labels)
    drawing.x_labels([x(value) for value in values], labels, bottom + 17)
    drawing.text((left + right) / 2, height - 8, "predicted; upwards: happened", "middle", "axis")
    drawing.line(x(0.0), y(0.0), x(high), y(high), "interval")
    for dot in dots:
        drawing.add(
            "circle",
            title=f"{integer(dot.moments)} moments: predicted {percent(dot.predicted)}, "
            f"happened {percent(dot.observed)}",
            cx=x(dot.predicted), cy=y(dot.observed), r=4.5, fill=colour,
        )  # fmt: skip
    return drawing.svg()
