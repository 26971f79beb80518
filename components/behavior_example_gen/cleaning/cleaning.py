"""Row by row cleaning of a batch: keys, times, numbers; what is dropped is counted by reason."""

from __future__ import annotations

import time
from dataclasses import dataclass

import polars as pl

from components.behavior_example_gen.config import DataConfig, epoch, whole_id
from components.behavior_example_gen.reading.numeric_text import NumberReader, Numbers
from components.behavior_example_gen.reading.plain_text import (
    clean_text,
    has_control_characters,
    ids,
    is_missing_word,
    texts,
)
from components.behavior_example_gen.reading.raw_batch import LINE, RawBatch, Rejected
from components.behavior_example_gen.reading.remarks import (
    MISSING_WORD,
    NO_TEXT,
    OTHER_TIME_FORM,
    Remarks,
)
from components.behavior_example_gen.reading.sources import Source
from components.behavior_example_gen.timestamps import LATEST_COMPACT_DATE_AS_EPOCH, read_times

# Reasons that make a row bad (quarantined, and counted against max_bad_fraction).
BAD_REASONS = (
    "unreadable",
    "bad_encoding",
    "missing_user_id",
    "missing_item_id",
    "invalid_user_id",
    "invalid_item_id",
    "invalid_action",
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


class Cleaner:
    """Applies all rules that need one row only to the batches of one file."""

    def __init__(self, source: Source, config: DataConfig) -> None:
        """Starts with nothing remarked."""
        self._source = source
        self._config = config
        self.remarks = Remarks()
        self._numbers = NumberReader(config.decimal_mark)

    def clean(self, batch: RawBatch, first_order: int) -> CleanBatch:
        """Cleans the next batch of the file, whose first row is at that position of the log."""
        rows = batch.frame
        config = self._config
        user, no_user = ids(rows["user_id"])
        item, no_item = ids(rows["item_id"])
        times = read_times(
            rows["timestamp"],
            config.timestamp_format,
            epoch(config.earliest) > LATEST_COMPACT_DATE_AS_EPOCH,
        )
        action, no_action, lost_action = _action(rows, config)
        described = {name: texts(rows[name]) for name in TEXTS if name in rows.columns}
        numbers = self._numbers.read({name: rows[name] for name in NUMBERS if name in rows.columns})
        returned = _returned(rows, action, numbers.get("quantity"), config)
        events = pl.DataFrame(
            [
                user.alias("user_id"),
                item.alias("item_id"),
                times.seconds.alias("timestamp"),
                rows[LINE],
                pl.int_range(first_order, first_order + rows.height, eager=True).alias(ORDER),
                action.replace(config.cancellation.actions).alias("action"),
                returned.alias(RETURNED),
                *(_known(found.values, returned).alias(n) for n, found in numbers.items()),
                *(text.alias(name) for name, (text, _) in described.items()),
                no_user.alias("no_user"),
                no_item.alias("no_item"),
                no_action.alias("no_action"),
            ]
        )
        events = events.with_columns(
            _reason(self._source.format == "sequences", config).alias("reason")
        )
        events = events.drop("no_user", "no_item", "no_action")
        rejected = list(batch.rejected)
        bad = events.filter(pl.col("reason").is_in(BAD_REASONS)).select(LINE, "reason")
        if bad.height:
            contents = batch.content(bad[LINE].to_list())
            rejected += [
                Rejected(line, reason, content)
                for (line, reason), content in zip(bad.rows(), contents, strict=True)
            ]
        dropped_items = int((events["reason"] == DROPPED_ITEM).sum())
        whole = events["reason"].is_null()
        for name, key in (("user_id", user), ("item_id", item)):
            if key.null_count():
                self._remark(MISSING_WORD, rows, name, key.is_null() & is_missing_word(rows[name]))
        self._remark(OTHER_TIME_FORM, rows, "timestamp", times.other_form & whole)
        self._remark(NO_TEXT, rows, "action", lost_action & whole)
        for name, (_, lost) in described.items():
            self._remark(NO_TEXT, rows, name, lost & whole)
        for name, found in numbers.items():
            for kind, where in found.remarks.items():
                self._remark(kind, rows, name, _mask(where, rows.height) & whole)
        kept = events.filter(whole).drop("reason", LINE)
        return CleanBatch(kept, rejected, dropped_items)

    def _remark(self, kind: str, rows: pl.DataFrame, column: str, where: pl.Series) -> None:
        self.remarks.add(kind, rows, column, where.arg_true(), self._source)


def _known(numbers: pl.Series, returned: pl.Series) -> pl.Series:
    """Prices or quantities, those of returns without their sign; -1 if unknown or negative."""
    numbers = numbers.zip_with(~returned, numbers.abs())
    return numbers.zip_with((numbers >= 0).fill_null(False), pl.Series([-1.0], dtype=pl.Float32))


def _action(rows: pl.DataFrame, config: DataConfig) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The renamed action; where it has line breaks, as for ids; where it is an object."""
    nothing = pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    if "action" not in rows.columns:
        default = pl.repeat(config.default_action, rows.height, dtype=pl.String, eager=True)
        return default, nothing, nothing
    action, lost = texts(rows["action"], config.actions)
    action = action.set(action == "", config.default_action)
    if config.actions:
        action = action.replace(config.actions)
    return action, has_control_characters(rows["action"]), lost


def _returned(
    rows: pl.DataFrame, action: pl.Series, quantity: Numbers | None, config: DataConfig
) -> pl.Series:
    """Whether a row takes an earlier one back."""
    rules = config.cancellation
    returned = action.is_in(list(rules.actions))
    if rules.negative_quantity and quantity is not None:
        returned |= (quantity.values < 0).fill_null(False)
    if "cancel_key" in rows.columns:
        returned |= clean_text(rows["cancel_key"]).str.starts_with(rules.prefix)
    return returned


def _mask(rows: pl.Series, height: int) -> pl.Series:
    nothing = pl.repeat(False, height, dtype=pl.Boolean, eager=True)
    return nothing.scatter(rows, True)


def _reason(timeless: bool, config: DataConfig) -> pl.Expr:
    """Why a row is dropped; null if it is kept."""
    seconds = pl.col("timestamp")
    earliest = epoch(config.earliest)
    latest = epoch(config.latest) if config.latest else int(time.time()) + _DAY
    absurd = pl.lit(False) if timeless else ~seconds.is_between(earliest, latest)
    return (
        pl.when("no_user")
        .then(pl.lit("invalid_user_id"))
        .when("no_item")
        .then(pl.lit("invalid_item_id"))
        .when("no_action")
        .then(pl.lit("invalid_action"))
        .when(pl.col("user_id").is_null())
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
        return pl.col("item_id").str.contains(whole_id(rule))
    return pl.col("item_id").is_in(rule)
