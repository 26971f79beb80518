"""Ids that are written in two ways, so that one user becomes two: told, not changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_SAMPLE = 10_000


@dataclass
class IdForms:
    """How one file writes its ids, an example of each form."""

    file: str
    with_point: str | None = None
    """A whole number with a decimal point: 1.0."""
    whole: str | None = None
    """A whole number without, the shortest."""
    padded: str | None = None
    """A whole number with zeros before it: 007."""

    def add(self, ids: pl.Series) -> None:
        """Looks at a batch: at all of it for 1.0, at its beginning for the other forms."""
        if self.with_point is None and ids.str.ends_with(".0").any():
            self.with_point = _first(ids.filter(ids.str.contains(r"^[0-9]+\.0$")))
        head = ids.head(_SAMPLE)
        numbers = head.filter(head.str.contains("^[0-9]+$"))
        if numbers.is_empty():
            return
        shortest = str(min(numbers, key=len))
        if self.whole is None or len(shortest) < len(self.whole):
            self.whole = shortest
        if self.padded is None:
            self.padded = _first(numbers.filter(numbers.str.contains("^0[0-9]")))


def note(column: str, forms: Sequence[IdForms]) -> str | None:
    """What to say about the ids of all files; None if they look alike.

    Args:
        column: user_id or item_id.
        forms: of every file.
    """
    advice = "if they are the same, write them alike in all files"
    pointed = next((form for form in forms if form.with_point), None)
    whole = next((form for form in forms if form.whole), None)
    if pointed and whole:
        return (
            f"{column}: {pointed.with_point!r} (as in {pointed.file}) and "
            f"{whole.whole!r} (as in {whole.file}) are different ids; {advice}"
        )
    for padded in forms:
        for other in forms:
            if (
                padded.padded and padded.whole and other.whole and not other.padded
                and len(other.whole) < len(padded.whole)
            ):  # fmt: skip
                return (
                    f"{column}: {padded.file} pads its ids with zeros ({padded.padded!r}), "
                    f"{other.file} does not ({other.whole!r}); {advice}"
                )
    return None


def _first(values: pl.Series) -> str | None:
    return None if values.is_empty() else str(values[0])
