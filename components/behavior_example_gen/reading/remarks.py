"""Values that are odd, but not so bad that their row is rejected: counted and told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from components.behavior_example_gen.reading.raw_batch import LINE
from components.behavior_example_gen.reading.sources import Source

UNREADABLE = "unreadable"
"""Something that should be a number, and is none."""
DOUBTFUL = "doubtful"
"""`1,234`, and nothing in the file tells thousands from decimals."""
ASSUMED = "assumed"
"""`1.234`, and nothing in the file tells: decimals, as programs write them."""
NO_TEXT = "no_text"
"""An object where there should be text."""
MISSING_WORD = "missing_word"
"""An id that is a word such as NA; its row is dropped as missing."""
OTHER_TIME_FORM = "other_time_form"
"""A time that does not follow data.timestamp_format, but leaves no doubt."""

_NOTES = {
    UNREADABLE: "{count:,} values are no numbers and count as unknown, e.g. {example}",
    DOUBTFUL: "{count:,} values have a comma or point that may mark decimals or thousands, and "
    "count as unknown, e.g. {example}; say which in data.decimal_mark (point or comma)",
    ASSUMED: "{count:,} values such as {example} are read with a decimal point; if it marks "
    "thousands, set data.decimal_mark=comma",
    NO_TEXT: "{count:,} values are objects and count as unknown, e.g. {example}",
    MISSING_WORD: "{count:,} values count as missing, because they are words such as {example}",
    OTHER_TIME_FORM: "{count:,} times do not follow data.timestamp_format and are read as "
    "ISO 8601 or epoch numbers, e.g. {example}",
}
_LONGEST_VALUE = 60


@dataclass
class Remarks:
    """Odd values of one file or several, by kind and column."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first of each, with its place."""

    def add(
        self, kind: str, rows: pl.DataFrame, column: str, where: pl.Series, source: Source
    ) -> None:
        """Adds rows of a batch.

        Args:
            kind: one of the kinds of this module.
            rows: the batch.
            column: of the odd values.
            where: positions of the rows, ascending.
            source: the file.
        """
        if where.is_empty():
            return
        key = kind, column
        self.counts[key] = self.counts.get(key, 0) + len(where)
        value = str(rows[column][int(where[0])])
        if len(value) > _LONGEST_VALUE:
            value = f"{value[:_LONGEST_VALUE]}…"
        place = f"{source.name} {source.unit} {rows[LINE][int(where[0])]}"
        self.examples.setdefault(key, f"{value!r} ({place})")

    def notes(self) -> list[str]:
        """A sentence each."""
        return [
            f"{column}: {_NOTES[kind].format(count=count, example=self.examples[kind, column])}"
            for (kind, column), count in self.counts.items()
        ]


def total(parts: Iterable[Remarks]) -> Remarks:
    """Those of several files, in their order."""
    result = Remarks()
    for part in parts:
        for key, count in part.counts.items():
            result.counts[key] = result.counts.get(key, 0) + count
            result.examples.setdefault(key, part.examples[key])
    return result
