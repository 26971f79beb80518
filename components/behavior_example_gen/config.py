"""Settings of the data section: where the columns are, what is cleaned away, how to split."""

from __future__ import annotations

import codecs
import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import pydantic

from trainer.action_name import ActionName, action_name
from trainer.nearest import hint
from trainer.settings import Settings

_BAD_SEPARATOR = re.compile(r'[\w"\r\n\0]|[^\x00-\x7f]')
_NOT_FOR_FILES = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape")
EventColumn = Literal[
    "user_id",
    "item_id",
    "timestamp",
    "action",
    "session_id",
    "price",
    "quantity",
    "category",
    "title",
    "brand",
]
ItemColumn = Literal["item_id", "title", "category", "brand", "price"]
ColumnMapping = dict[str, str | list[str] | None]


def _with_text(value: Any) -> Any:
    """YAML reads a bare 1 as a number; action names are strings."""
    if isinstance(value, Mapping):
        return {str(name): str(renamed) for name, renamed in value.items()}
    return value


def _action_names(renamed: dict[str, str]) -> dict[str, str]:
    for name in renamed.values():
        action_name(name)
    return renamed


ActionNames = Annotated[
    dict[str, str],
    pydantic.BeforeValidator(_with_text),
    pydantic.AfterValidator(_action_names),
]


class Cancellation(Settings):
    """Which rows are returns. A return is dropped and takes the purchase it undoes with it."""

    negative_quantity: bool = True
    """A quantity below zero is a return."""
    column: str | None = None
    """A further source column (such as an invoice number) whose `prefix` marks returns."""
    prefix: str = pydantic.Field("C", min_length=1)
    """How the values of `column` begin in returns."""
    actions: ActionNames = {}
    """Returning action to the action it undoes, e.g. {"refund": "purchase"}."""


class DataConfig(Settings):
    """How the event log is read, cleaned and split into histories."""

    format: Literal["auto", "csv", "parquet", "jsonl", "sequences"] = "auto"
    """Of the event files; "auto" tells it from their names and content."""
    columns: ColumnMapping = {}
    """Our name to the log's column; several columns are joined by " / "; null switches one off."""
    items_columns: ColumnMapping = {}
    """The same for the items file."""
    actions: ActionNames = {}
    """Renames actions, e.g. {"1": "view", "2": "purchase"}; others keep their name."""
    default_action: str = "event"
    """Action of events without one."""
    cancellation: Cancellation = Cancellation()
    target_actions: tuple[ActionName, ...] = ()
    """Actions (as renamed by `actions`) that models are asked for, e.g. ["purchase"]: what is held
    out begins with each user's first instant with such an action, and only items that were taken so
    are targets. All events stay in the histories. Empty: every action."""
    drop_items: str | list[str] | None = None
    """Item ids that are no products: a list, or a regular expression for the whole id."""
    max_events_per_user_per_day: int | None = pydantic.Field(1000, ge=1)
    """A user with more events on any day is taken for a bot and dropped; null keeps all."""
    min_user_events: int = pydantic.Field(2, ge=2)
    """Training events that a user needs to be trained on; who has fewer is still judged. Of
    sequence files: events in all, to be in any split."""
    min_item_events: int = pydantic.Field(5, ge=1)
    """Training events that an item needs to be trained on; targets and the histories that are
    judged keep the others. Of sequence files: events in all, to be in any split."""
    tie_order: Literal["drawn", "log"] = "drawn"
    """Order of the events of one user and time: drawn by a hash of what they are, or as in the log,
    which may be that of the ids. Sequence files keep theirs."""
    seed: int = pydantic.Field(1, ge=0, lt=2**31)
    """Decides the order that is drawn."""
    split: Literal["temporal", "leave_one_out"] = "temporal"
    """How targets are held out: by two cuts in time, or each user's last two instants."""
    validation_quantile: float = pydantic.Field(0.8, gt=0, lt=1)
    """Share of the events before the first cut in time; validation targets follow it."""
    test_quantile: float = pydantic.Field(0.9, gt=0, lt=1)
    """Share of the events before the second cut in time; test targets follow it."""
    max_bad_fraction: float = pydantic.Field(0.1, ge=0, le=1)
    """Share of rows that may be unusable before the run stops."""
    separator: str = "auto"
    """Column separator of CSV files: one character, or "auto"."""
    quoting: Literal["auto", "none"] = "auto"
    """Double quotes around values of CSV files; with "none" they are ordinary characters."""
    encoding: str = "auto"
    """Text encoding; "auto" is UTF-8, or UTF-16 with a byte order mark."""
    decimal_mark: Literal["auto", "point", "comma"] = "auto"
    """In prices and quantities; "auto" finds it in each file."""
    timestamp_format: str | None = None
    """strptime format of times in text and numbers, e.g. "%m/%d/%Y %H:%M"; null reads ISO 8601 and
    epoch numbers."""
    earliest: datetime.datetime = datetime.datetime(1990, 1, 1)
    """Times before it are absurd: their rows go to the quarantine."""
    latest: datetime.datetime | None = None
    """Plausible times; latest defaults to one day from now."""

    @pydantic.field_validator("default_action")
    @classmethod
    def _name(cls, value: str) -> str:
        return action_name(value)

    @pydantic.field_validator("columns", "items_columns")
    @classmethod
    def _known_names(cls, value: ColumnMapping, info: pydantic.ValidationInfo) -> ColumnMapping:
        known = get_args(EventColumn if info.field_name == "columns" else ItemColumn)
        for name, wanted in value.items():
            if wanted == []:
                raise ValueError(f"{name}: the list is empty; null switches the column off")
            if name not in known:
                raise ValueError(f"unknown column name {name!r}; {hint(name, known)}")
        return value

    @pydantic.field_validator("drop_items")
    @classmethod
    def _valid_pattern(cls, value: str | list[str] | None) -> str | list[str] | None:
        if isinstance(value, str):
            import polars as pl  # here, because few commands need it

            try:
                re.compile(value)
                # The rules of polars are narrower: no look-ahead, no back references.
                pl.Series([""]).str.contains(whole_id(value))
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
            except pl.exceptions.PolarsError as error:
                reason = next(
                    (line for line in str(error).splitlines() if line.startswith("error: ")),
                    "error: it is too large",
                )
                raise ValueError(
                    f"not a regular expression that can be used: {reason.removeprefix('error: ')}"
                ) from None
        return value

    @pydantic.field_validator("separator")
    @classmethod
    def _one_character(cls, value: str) -> str:
        value = "\t" if value == "\\t" else value
        if value != "auto" and len(value) != 1:
            raise ValueError('must be one character (a tab is "\\t") or "auto"')
        if value != "auto" and _BAD_SEPARATOR.match(value):
            raise ValueError(
                "must be an ASCII character that is no letter, digit, underscore, quote or line end"
            )
        return value

    @pydantic.field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode("utf-8" if value == "auto" else value)
            usable = (
                value == "auto" or codecs.lookup(value).name.replace("-", "_") not in _NOT_FOR_FILES
            )
        except (LookupError, UnicodeError):
            usable = False
        if not usable:
            raise ValueError('no such encoding of text; try "utf-8", "cp1252" or "latin-1"')
        return value

    @pydantic.field_validator("timestamp_format")
    @classmethod
    def _format_of_dates(cls, value: str | None) -> str | None:
        if value is not None:
            # Here, because it loads polars, which few commands need.
            from components.behavior_example_gen.timestamps import check_format

            check_format(value)
        return value

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> DataConfig:
        if self.validation_quantile >= self.test_quantile:
            raise ValueError("validation_quantile must be below test_quantile")
        if self.latest is not None and epoch(self.earliest) >= epoch(self.latest):
            raise ValueError(f"earliest ({self.earliest}) must be before latest ({self.latest})")
        return self


def epoch(moment: datetime.datetime) -> int:
    """Epoch seconds; without a zone it is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp())


def whole_id(rule: str) -> str:
    """The regular expression for ids that a rule matches from end to end."""
    return f"^(?:{rule})$"
