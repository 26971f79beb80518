"""Settings of the data section: where the columns are, what is cleaned away, how to split."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

import pydantic

from trainer.settings import Settings

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


class Cancellation(Settings):
    """Which rows are returns. A return is dropped and takes the purchase it undoes with it."""

    negative_quantity: bool = True
    """A quantity below zero is a return."""
    column: str | None = None
    """A further source column (such as an invoice number) whose `prefix` marks returns."""
    prefix: str = "C"
    actions: dict[str, str] = {}
    """Returning action to the action it undoes, e.g. {"refund": "purchase"}."""


class DataConfig(Settings):
    """How the event log is read, cleaned and split into histories."""

    format: Literal["auto", "csv", "parquet", "jsonl", "sequences"] = "auto"
    columns: ColumnMapping = {}
    """Our name to the log's column; several columns are joined by " / "; null switches one off."""
    items_columns: ColumnMapping = {}
    """The same for the items file."""
    actions: dict[str, str] = {}
    """Renames actions, e.g. {"1": "view", "2": "purchase"}; others keep their name."""
    default_action: str = "event"
    """Action of events without one."""
    cancellation: Cancellation = Cancellation()
    drop_items: str | list[str] | None = None
    """Item ids that are no products: a list, or a regular expression for the whole id."""
    max_events_per_user_per_day: int | None = pydantic.Field(1000, ge=1)
    """A user with more events on any day is taken for a bot and dropped; null keeps all."""
    min_user_events: int = pydantic.Field(2, ge=2)
    min_item_events: int = pydantic.Field(5, ge=1)
    """Events an item needs in the training period (leave_one_out: in all) to be kept."""
    split: Literal["temporal", "leave_one_out"] = "temporal"
    validation_quantile: float = pydantic.Field(0.8, gt=0, lt=1)
    test_quantile: float = pydantic.Field(0.9, gt=0, lt=1)
    max_bad_fraction: float = pydantic.Field(0.1, ge=0, le=1)
    separator: str = "auto"
    """Column separator of CSV files: one character, or "auto"."""
    quoting: Literal["auto", "none"] = "auto"
    """Double quotes around values of CSV files; with "none" they are ordinary characters."""
    encoding: str = "auto"
    """Text encoding; "auto" is UTF-8, or UTF-16 with a byte order mark."""
    timestamp_format: str | None = None
    """strptime format tried after ISO 8601 and epoch numbers, e.g. "%m/%d/%Y %H:%M"."""
    earliest: datetime.datetime = datetime.datetime(1990, 1, 1)
    latest: datetime.datetime | None = None
    """Plausible times; latest defaults to one day from now."""

    @pydantic.field_validator("actions", mode="before")
    @classmethod
    def _text_keys(cls, value: Any) -> Any:
        """YAML reads a bare 1 as a number; action names are strings."""
        if isinstance(value, Mapping):
            return {str(name): str(renamed) for name, renamed in value.items()}
        return value

    @pydantic.field_validator("columns", "items_columns")
    @classmethod
    def _known_names(cls, value: ColumnMapping, info: pydantic.ValidationInfo) -> ColumnMapping:
        known = get_args(EventColumn if info.field_name == "columns" else ItemColumn)
        for name in value:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                raise ValueError(f"unknown column name {name!r}; {hint}")
        return value

    @pydantic.field_validator("drop_items")
    @classmethod
    def _valid_pattern(cls, value: str | list[str] | None) -> str | list[str] | None:
        if isinstance(value, str):
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return value

    @pydantic.field_validator("separator")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if value != "auto" and len(value) != 1:
            raise ValueError('must be one character (a tab is "\\t") or "auto"')
        return value

    @pydantic.field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode("utf-8" if value == "auto" else value)
        except LookupError:
            raise ValueError('no such encoding; try "utf-8", "cp1252" or "latin-1"') from None
        return value

    @pydantic.model_validator(mode="after")
    def _ordered_cuts(self) -> DataConfig:
        if self.validation_quantile >= self.test_quantile:
            raise ValueError("validation_quantile must be below test_quantile")
        return self
