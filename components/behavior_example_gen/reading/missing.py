"""Words that stand for a value that is not there."""

from __future__ import annotations

MISSING = (
    "", "nan", "NaN", "NAN", "-nan", "-NaN", "null", "Null", "NULL", "none", "None", "NONE",
    "nil", "Nil", "NIL", "NA", "<NA>", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "#NULL!", "\\N",
    "NaT", "undefined", "(null)", "(none)", "(not set)", "<null>", "<none>", "-", "--", '""', "''",
)  # fmt: skip
"""As databases, spreadsheets, programs and web analytics write it. Words that a shop may well use
for a user of its own, such as 0, unknown or guest, are not among them."""
