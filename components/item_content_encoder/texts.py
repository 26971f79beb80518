"""What is said about an item, as one text."""

from __future__ import annotations

import polars as pl

PARTS = ("title", "category", "brand")
"""Columns of `items.parquet` that make the text, in this order."""


def item_texts(items: pl.DataFrame) -> pl.Series:
    """One text for each item: title, category and brand that are not empty, with commas between.

    Args:
        items: columns `PARTS`, strings.

    Returns:
        Strings; empty where an item has no part.
    """
    given = [
        pl.when(pl.col(part).str.strip_chars() != "").then(pl.col(part).str.strip_chars())
        for part in PARTS
    ]
    return items.select(pl.concat_str(given, separator=", ", ignore_nulls=True)).to_series()
