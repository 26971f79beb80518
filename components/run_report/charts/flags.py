"""Marked positions: a dashed line from the plot up to a label, no label crossed by another line."""

from __future__ import annotations

from collections.abc import Sequence

from components.run_report.charts.svg import Drawing

ROW = 13
FIRST = 11


def room(count: int) -> int:
    """Height that the labels of so many flags need above the plot."""
    return FIRST + ROW * max(count - 1, 0) + 7


def draw_flags(drawing: Drawing, flags: Sequence[tuple[float, str]], bottom: float) -> None:
    """Draws labels in rows from the top and their lines down to `bottom`.

    All labels lie on the same side of their lines, and the line over which a label would reach
    starts in a lower row.

    Args:
        drawing: to draw on.
        flags: x position and label.
        bottom: lower end of the lines.
    """
    longest = max((len(label) for _, label in flags), default=0) * 7
    to_left = any(x + longest > drawing.width for x, _ in flags)
    for row, (x, label) in enumerate(sorted(flags, reverse=to_left)):
        y = FIRST + ROW * row
        drawing.line(x, y - 8, x, bottom, "mark")
        drawing.text(x - 5 if to_left else x + 5, y, label, "end" if to_left else "start", "strong")
