"""The drawing surface: SVG elements as text, everything that comes from data escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from components.run_report.charts.axes import Scale
from trainer.shown_text import shown_text

Number = float | int

_LONGEST_DESCRIPTION = 100_000
"""Characters; it says every number of the image."""


def number(value: Number) -> str:
    """Coordinates to a tenth of a unit: short, and finer than a screen shows."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Drawing:
    """An SVG image that scales with its container.

    Text and lines take their colour from the page's classes (`axis`, `grid`, `strong`, …), so the
    image follows light and dark mode; only data has its own colour.
    """

    def __init__(self, width: int, height: int, label: str, description: str = "") -> None:
        """An empty image.

        Args:
            width: of the view box.
            height: of the view box.
            label: what screen readers call it.
            description: what it says, in words, for screen readers.
        """
        self.width, self.height, self.label = width, height, label
        shown = escape(shown_text(description, _LONGEST_DESCRIPTION))
        self._parts = [f"<desc>{shown}</desc>"] if description else []

    def add(self, tag: str, body: str = "", title: str = "", **attributes: Number | str) -> None:
        """One element; `class_` is class and other underscores become hyphens."""
        shown = " ".join(
            f'{name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
            for name, value in attributes.items()
        )
        name = f"<title>{escape(shown_text(title))}</title>" if title else ""
        inner = name + str(escape(shown_text(body)))
        self._parts.append(f"<{tag} {shown}>{inner}</{tag}>" if inner else f"<{tag} {shown}/>")

    def text(self, x: Number, y: Number, body: str, anchor: str = "middle", kind: str = "") -> None:
        """A label; `kind` is one of the page's text classes."""
        extra = {"class_": kind} if kind else {}
        self.add("text", body, x=x, y=y, text_anchor=anchor, **extra)

    def line(self, x1: Number, y1: Number, x2: Number, y2: Number, kind: str) -> None:
        """A straight line of one of the page's line classes."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)

    def path(self, points: Iterable[tuple[Number, Number]], colour: str, width: Number = 2) -> None:
        """A line through points."""
        steps = " L".join(f"{number(x)} {number(y)}" for x, y in points)
        if steps:
            self.add(
                "path", d=f"M{steps}", fill="none", stroke=colour, stroke_width=width,
                stroke_linejoin="round",
            )  # fmt: skip

    def area(self, points: Iterable[tuple[Number, Number]], colour: str, title: str = "") -> None:
        """A filled shape with these corners."""
        corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self.add("polygon", title=title, points=corners, fill=colour)

    def y_axis(self, scale: Scale, values: Sequence[float], labels: Sequence[str]) -> None:
        """Horizontal grid lines with labels to their left."""
        left, right = self._plot_sides
        for value, label in zip(values, labels, strict=True):
            y = scale(value)
            self.line(left, y, right, y, "grid")
            self.text(left - 6, y + 4, label, "end", "axis")

    def x_labels(self, positions: Sequence[float], labels: Sequence[str], y: Number) -> None:
        """Labels below the plot; those too close to the one before are left out."""
        free_from = float("-inf")
        for x, label in zip(positions, labels, strict=True):
            half = len(label) * 3.3
            if x - half < free_from:
                continue
            free_from = x + half + 8
            self.text(min(x, self.width - half), y, label, "middle", "axis")

    def plot_sides(self, left: Number, right: Number) -> None:
        """Sets where grid lines begin and end."""
        self._plot_sides = (left, right)

    def svg(self) -> Markup:
        """The whole image."""
        return Markup(  # every part was escaped when it was added
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(shown_text(self.label))}">{"".join(self._parts)}</svg>'
        )


def _attribute(value: Number | str) -> str:
    return str(escape(value)) if isinstance(value, str) else number(value)
