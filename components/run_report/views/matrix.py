"""A table of shares whose cells are shaded by their value: a heat map that can be read aloud."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from components.run_report import formats as fmt

LARGE = 8
DARK = 0.85
"""From this shade on, light text is read more easily than dark text."""


@dataclasses.dataclass(frozen=True)
class ShadedCell:
    """One share; `shade` 0 to 100 is how much of the colour is seen, `title` what it means."""

    text: str
    shade: int
    title: str = ""

    @property
    def dark(self) -> bool:
        """Whether the text has to be light."""
        return self.shade >= 100 * DARK


@dataclasses.dataclass(frozen=True)
class Matrix:
    """Rows x columns; `corner` says what the rows are."""

    corner: str
    columns: list[str]
    rows: list[tuple[str, list[ShadedCell]]]

    @property
    def large(self) -> bool:
        """Whether it needs small cells and the whole width of the page."""
        return len(self.columns) > LARGE


def share_cell(share: float | None, title: str = "", digits: int = 0) -> ShadedCell:
    """A cell for a share of 0 to 1; one that was not measured has no shade."""
    if share is None or not fmt.known(share):
        return ShadedCell(fmt.MISSING, 0, title)
    return ShadedCell(fmt.percent(share, digits), round(100 * min(max(share, 0.0), 1.0)), title)


def share_matrix(
    corner: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None]]],
) -> Matrix:
    """A matrix of shares of 0 to 1."""
    return Matrix(
        corner,
        list(columns),
        [
            (name, [share_cell(v, f"{name}, {c}") for c, v in zip(columns, shares, strict=True)])
            for name, shares in rows
        ],
    )
