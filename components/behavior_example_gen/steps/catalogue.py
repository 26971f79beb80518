"""The items by name: the items file, completed by what the events say."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from components.behavior_example_gen.reading.numeric_text import NumberReader
from components.behavior_example_gen.reading.plain_text import clean_text, key_text
from components.behavior_example_gen.reading.raw_batch import swallowed_note
from components.behavior_example_gen.reading.readers import read
from components.behavior_example_gen.reading.remarks import Remarks
from components.behavior_example_gen.reading.sources import Source

NAME = "items.parquet"
ATTRIBUTES = ("title", "category", "brand")
"""What events may say about an item."""
SCHEMA = pl.Schema(
    {
        "item_id": pl.String,
        "title": pl.String,
        "category": pl.String,
        "brand": pl.String,
        "price": pl.Float64,
    }
)


def read_items(
    sources: Sequence[Source], decimal_mark: str = "auto"
) -> tuple[pl.DataFrame, list[str]]:
    """Reads the items files.

    Args:
        sources: the files.
        decimal_mark: of their prices, see `DataConfig`.

    Returns:
        One row per item (columns of `SCHEMA`; the first row of an id counts), and notes about
        rows left out.

    Raises:
        DataError: a file is not text in its encoding.
    """
    parts = [SCHEMA.to_frame()]
    notes = []
    for source in sources:
        unreadable = missing = 0
        numbers = NumberReader(decimal_mark)
        remarks = Remarks()
        swallowed: list[int] = []
        for batch in read(source):
            rows = batch.frame
            prices = None
            if "price" in rows.columns:
                prices = numbers.read({"price": rows["price"]})["price"]
                for kind, where in prices.remarks.items():
                    remarks.add(kind, rows, "price", where, source)
            part = pl.DataFrame(
                [
                    key_text(rows["item_id"]),
                    *(
                        clean_text(rows[name]).alias(name)
                        if name in rows.columns
                        else pl.repeat("", rows.height, dtype=pl.String, eager=True).alias(name)
                        for name in ATTRIBUTES
                    ),
                    prices.values.cast(pl.Float64)
                    if prices is not None
                    else pl.repeat(None, rows.height, dtype=pl.Float64, eager=True).alias("price"),
                ]
            )
            swallowed += batch.swallowed
            unreadable += len(batch.rejected)
            missing += part["item_id"].null_count()
            parts.append(part.drop_nulls("item_id"))
        notes += [f"items: {note}" for note in remarks.notes()]
        if swallowed:
            notes.append(swallowed_note(source.name, len(swallowed), swallowed[0]))
        if unreadable:
            notes.append(f"{source.name}: {unreadable:,} unreadable rows are left out")
        if missing:
            notes.append(f"{source.name}: {missing:,} rows without item_id are left out")
    items = pl.concat(parts)
    unique = items.unique("item_id", keep="first", maintain_order=True)
    if unique.height < items.height:
        notes.append(
            f"items: {items.height - unique.height:,} further rows of an item_id already seen "
            "are left out"
        )
    return unique, notes


def coverage_note(items: pl.DataFrame, kept: pl.DataFrame) -> str | None:
    """What to say when items of the log are not in the items file; None if all are, or no file.

    Args:
        items: from `read_items`.
        kept: `item_id` of every item in the log.
    """
    missing = kept.join(items, on="item_id", how="anti").height
    if items.is_empty() or not missing:
        return None
    if missing == kept.height:
        return (
            f"items: not one of the log's {kept.height:,} items is in the items file (the log has "
            f"{kept['item_id'][0]!r}, the file {items['item_id'][0]!r}): they have no titles; see "
            "data.items_columns.item_id"
        )
    return f"items: {missing:,} of the log's {kept.height:,} items are not in the items file"


def complete(items: pl.DataFrame, kept: pl.DataFrame, attributes: pl.DataFrame) -> pl.DataFrame:
    """Adds the items of the log, and what its events say about items.

    Args:
        items: from `read_items`.
        kept: `item_id` of every item in the training histories. Others that only the log names
            stay out: what is said of them may come from events that are held out.
        attributes: `role` (of `ATTRIBUTES`), `item_id`, `value`, `count` from the events; the most
            frequent value counts where the items file has none.

    Returns:
        Columns of `SCHEMA`, items of the file first, then the others by id.
    """
    unknown = kept.select("item_id").join(items, on="item_id", how="anti").sort("item_id")
    items = pl.concat([items, unknown], how="diagonal").with_columns(
        pl.col(ATTRIBUTES).fill_null("")
    )
    for role in ATTRIBUTES:
        values = (
            attributes.filter((pl.col("role") == role) & (pl.col("value") != ""))
            .sort("count", "value", descending=[True, False])
            .unique("item_id", keep="first", maintain_order=True)
            .select("item_id", pl.col("value").alias("told"))
        )
        items = (
            items.join(values, on="item_id", how="left", maintain_order="left")
            .with_columns(
                pl.when(pl.col(role) == "")
                .then(pl.col("told").fill_null(""))
                .otherwise(role)
                .alias(role)
            )
            .drop("told")
        )
    return items.select(SCHEMA.names())
