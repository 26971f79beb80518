"""Silhouettes by cluster: the plot of Rousseeuw 1987, drawn from quantiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale, padded, ticks
from components.run_report.charts.svg import Drawing
from components.run_report.formats import compact

_THINNEST = 20
_HEIGHT = 240


@dataclasses.dataclass(frozen=True)
class Silhouettes:
    """One cluster: `values` rise, at least two; users who lie between two of them are as many."""

    name: str
    users: int
    mean: float
    values: tuple[float, ...]
    colour: str
    title: str = ""


def silhouette_chart(
    clusters: Sequence[Silhouettes],
    overall: float | None,
    *,
    label: str,
    description: str = "",
    width: int = 760,
    name_width: int = 230,
) -> Markup:
    """One shape a cluster: as thick as it has users, as wide as their silhouettes, best on top.

    Args:
        clusters: at least one.
        overall: mean over all users, a dashed line.
        label: what the chart shows, for screen readers.
        description: what it says, for screen readers.
        width: of the view box.
        name_width: room for the names.
    """
    users = sum(cluster.users for cluster in clusters) or 1
    heights = [max(_HEIGHT * cluster.users / users, _THINNEST) for cluster in clusters]
    gap, top = 8, 18.0
    bottom = top + sum(heights) + gap * len(clusters)
    drawing = Drawing(width, round(bottom) + 40, label, description)
    ends = [v for cluster in clusters for v in (cluster.values[0], cluster.values[-1])]
    x = Scale(*padded([*ends, 0.0]), name_width, width - 70)
    for value in ticks(x.low, x.high, 6):
        drawing.line(x(value), top, x(value), bottom, "median" if value == 0 else "grid")
        drawing.text(x(value), bottom + 16, compact(value), "middle", "axis")
    drawing.text((x.start + x.end) / 2, bottom + 34, "silhouette of the users", "middle", "axis")
    y = top + gap / 2
    for cluster, height in zip(clusters, heights, strict=True):
        _shape(drawing, cluster, x, y, height)
        y += height + gap
    if overall is not None:
        drawing.line(x(overall), top - 4, x(overall), bottom, "mark")
        drawing.text(x(overall), top - 6, f"all users: {overall:.2f}", "middle", "strong")
    return drawing.svg()


def _shape(drawing: Drawing, cluster: Silhouettes, x: Scale, top: float, height: float) -> None:
    """From the highest value at the top to the lowest at the bottom, filled to the line at zero."""
    steps = len(cluster.values) - 1
    edge = [
        (x(value), top + height * i / steps) for i, value in enumerate(reversed(cluster.values))
    ]
    drawing.area(
        [(x(0.0), top), *edge, (x(0.0), top + height)], cluster.colour, title=cluster.title
    )
    middle = top + height / 2 + 4
    drawing.text(x.start - 10, middle, cluster.name, "end", "axis")
    drawing.text(x.end + 6, middle, f"{cluster.mean:.2f}", "start", "axis")
