"""Tables with a row for each model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from components.run_report import formats as fmt

FEW_USERS = 200


@dataclasses.dataclass(frozen=True)
class FigureCell:
    """One figure; the best of its row or column is marked."""

    text: str
    best: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of a table."""

    name: str
    cells: list[FigureCell]
    users: int | None = None
    difference: str = ""
    colour: str = ""

    @property
    def few(self) -> bool:
        """Whether the slice is so small that chance decides who is best."""
        return self.users is not None and self.users < FEW_USERS


@dataclasses.dataclass(frozen=True)
class OverallTable:
    """Models x metrics on one split."""

    split: str
    users: int | None
    metrics: list[str]
    rows: list[Row]


def marked(metric: str, scores: Sequence[float | None]) -> list[FigureCell]:
    """The figures of the models in one metric; the best is marked, unless all are alike."""
    write = fmt.percent if metric.startswith("coverage") else fmt.metric
    texts = [write(score) for score in scores]
    best = write(max((score for score in scores if score is not None), default=None))
    alike = len(set(texts)) == 1
    return [FigureCell(text, not alike and text == best) for text in texts]
