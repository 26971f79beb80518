"""Users as dots on a plane, coloured and numbered by cluster."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report.charts.axes import Scale, padded
from components.run_report.charts.svg import Drawing, number
from components.run_report.inputs import MapPoint
from components.run_report.palette import cluster_colour


def cluster_map(points: Sequence[MapPoint], *, width: int = 460, height: int = 400) -> Markup:
    """One path of round dots per cluster (a tenth of the size of single circles).

    Args:
        points: at least one.
        width: of the view box.
        height: of the view box.
    """
    drawing = Drawing(width, height, "Map of the users, coloured by cluster")
    x = Scale(*padded([p.x for p in points]), 4, width - 4)
    y = Scale(*padded([p.y for p in points]), height - 4, 4)
    members: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for point in points:
        members[point.cluster].append((x(point.x), y(point.y)))
    drawing.add("rect", x=0.5, y=0.5, width=width - 1, height=height - 1, class_="frame")
    size = 3.2 if len(points) > 1500 else 5.0
    # Noise first, then the largest, so that small clusters lie on top.
    for cluster in sorted(members, key=lambda c: (c >= 0, -len(members[c]))):
        path = "".join(f"M{number(a)} {number(b)}h0" for a, b in members[cluster])
        drawing.add(
            "path", d=path, stroke=cluster_colour(cluster), stroke_width=size,
            stroke_linecap="round", stroke_opacity=0.6, fill="none",
        )  # fmt: skip
    for cluster, dots in sorted(members.items()):
        if cluster < 0:  # users of no cluster have no middle
            continue
        cx = statistics.median(a for a, _ in dots)
        cy = statistics.median(b for _, b in dots)
        drawing.add(
            "circle", title=f"middle of cluster {cluster}", cx=cx, cy=cy, r=11,
            class_="badge", stroke=cluster_colour(cluster), stroke_width=2.5,
        )  # fmt: skip
        drawing.text(cx, cy + 4.5, str(cluster), "middle", "strong")
    return drawing.svg()
