"""Row by row cleaning of a batch: keys, times, numbers; what is dropped is counted by reason."""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass

import polars as pl

from components.behavior_example_gen.batches import LINE, Batch, Rejected
from components.behavior_example_gen.config import Cancellation, DataConfig
from components.behavior_example_gen.timestamps import epoch_seconds

# Reasons that make a row bad (quarantined, and counted against max_bad_fraction).
BAD_REASONS = (
    "unreadable",
    "bad_encoding",
    "missing_user_id",
    "missing_item_id",
    "bad_timestamp",
    "absurd_timestamp",
)
DROPPED_ITEM = "dropped_item"
ORDER = "order"
"""Position in the whole log: breaks ties between events of the same second."""
RETURNED = "returned"
"""True in a row that takes an earlier event back."""
NUMBERS = ("price", "quantity")
TEXTS = ("session_id", "category", "title", "brand")
_MISSING = ("", "nan", "NaN", "null", "NULL", "None", "<NA>")
_DAY = 86_400


@dataclass(frozen=True)
class CleanBatch:
    """What is left of a batch, and what is not."""

    events: pl.DataFrame
    """user_id, item_id, action: String; timestamp, order: Int64; returned: Boolean; and as far
    as the file has them session_id, category, title, brand: String ("" = unknown) and price,
    quantity: Float32 (-1 = unknown)."""
    rejected: list[Rejected]
    """Bad rows, also those that the reader rejected."""
    dropped_items: int
    """Rows of items that the settings leave out."""


def clean(batch: Batch, first_order: int, timeless: bool, config: DataConfig) -> CleanBatch:
    """Applies all rules that need one row only.

    Args:
        batch: rows of one file.
        first_order: position of the batch's first row in the log.
        timeless: the log has an order but no times (all 0).
        config: the rules.
    """
    rows = batch.frame
    seconds = epoch_seconds(rows["timestamp"], config.timestamp_format)
    action, returned = _actions(rows, config)
    events = pl.DataFrame(
        [
            key_text(rows["user_id"]),
            key_text(rows["item_id"]),
            seconds.alias("timestamp"),
            rows[LINE],
            pl.int_range(first_order, first_order + rows.height, eager=True).alias(ORDER),
            action.alias("action"),
            returned.alias(RETURNED),
            *(_known(rows[name], returned) for name in NUMBERS if name in rows.columns),
            *(clean_text(rows[name]) for name in TEXTS if name in rows.columns),
        ]
    ).with_columns(_reason(timeless, config).alias("reason"))
    rejected = list(batch.rejected)
    bad = events.filter(pl.col("reason").is_in(BAD_REASONS)).select(LINE, "reason")
    if bad.height:
        contents = batch.content(bad[LINE].to_list())
        rejected += [
            Rejected(line, reason, content)
            for (line, reason), content in zip(bad.rows(), contents, strict=True)
        ]
    dropped_items = int((events["reason"] == DROPPED_ITEM).sum())
    kept = events.filter(pl.col("reason").is_null()).drop("reason", LINE)
    return CleanBatch(kept, rejected, dropped_items)


def key_text(values: pl.Series) -> pl.Series:
    """Ids as text: exactly as written, whole floats without their ".0"; null if missing."""
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        frame = pl.DataFrame({"value": values.fill_nan(None), "whole": whole})
        text = frame.select(
            pl.when(pl.col("value") == pl.col("whole"))
            .then(pl.col("whole").cast(pl.String))
            .otherwise(pl.col("value").cast(pl.String))
        ).to_series()
        return text.alias(values.name)
    text = values.cast(pl.String).str.strip_chars()
    return text.set(text.is_in(_MISSING), None)


def number(values: pl.Series) -> pl.Series:
    """Numbers as Float32, also from text with a decimal comma; null if unknown."""
    if values.dtype == pl.String:
        text = values.str.strip_chars()
        numbers = text.cast(pl.Float32, strict=False)
        if numbers.null_count() > text.null_count():
            comma = text.str.replace(",", ".", literal=True).cast(pl.Float32, strict=False)
            numbers = numbers.zip_with(numbers.is_not_null(), comma)
    else:
        numbers = values.cast(pl.Float32, strict=False)
    return numbers.set(~numbers.is_finite(), None)


def clean_text(values: pl.Series) -> pl.Series:
    """Text without outer spaces; "" if missing."""
    text = key_text(values) if values.dtype.is_float() else values.cast(pl.String)
    return text.str.strip_chars().fill_null("")


def _known(values: pl.Series, returned: pl.Series) -> pl.Series:
    """Prices or quantities, those of returns without their sign; -1 if unknown or negative."""
    numbers = number(values)
    numbers = numbers.zip_with(~returned, numbers.abs())
    return numbers.zip_with((numbers >= 0).fill_null(False), pl.Series([-1.0], dtype=pl.Float32))


def _actions(rows: pl.DataFrame, config: DataConfig) -> tuple[pl.Series, pl.Series]:
    """The renamed action, and whether it takes an earlier one back."""
    rules = config.cancellation
    if "action" in rows.columns:
        action = clean_text(rows["action"])
        action = action.set(action == "", config.default_action)
        if config.actions:
            action = action.replace(config.actions)
    else:
        action = pl.repeat(config.default_action, rows.height, dtype=pl.String, eager=True)
    returned = _returned(rows, action, rules)
    if rules.actions:
        action = action.replace(rules.actions)
    return action, returned


def _returned(rows: pl.DataFrame, action: pl.Series, rules: Cancellation) -> pl.Series:
    returned = action.is_in(list(rules.actions))
    if rules.negative_quantity and "quantity" in rows.columns:
        returned |= (number(rows["quantity"]) < 0).fill_null(False)
    if "cancel_key" in rows.columns:
        returned |= clean_text(rows["cancel_key"]).str.starts_with(rules.prefix)
    return returned


def _reason(timeless: bool, config: DataConfig) -> pl.Expr:
    """Why a row is dropped; null if it is kept."""
    seconds = pl.col("timestamp")
    earliest = _epoch(config.earliest)
    latest = _epoch(config.latest) if config.latest else int(time.time()) + _DAY
    absurd = pl.lit(False) if timeless else ~seconds.is_between(earliest, latest)
    return (
        pl.when(pl.col("user_id").is_null())
        .then(pl.lit("missing_user_id"))
        .when(pl.col("item_id").is_null())
        .then(pl.lit("missing_item_id"))
        .when(seconds.is_null())
        .then(pl.lit("bad_timestamp"))
        .when(absurd)
        .then(pl.lit("absurd_timestamp"))
        .when(_drops(config.drop_items))
        .then(pl.lit(DROPPED_ITEM))
    )


def _drops(rule: str | list[str] | None) -> pl.Expr:
    if rule is None:
        return pl.lit(False)
    if isinstance(rule, str):
        return pl.col("item_id").str.contains(f"^(?:{rule})$")
    return pl.col("item_id").is_in(rule)


def _epoch(moment: datetime.datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp())
