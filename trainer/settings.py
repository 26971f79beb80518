"""Typed settings: the base class of every configuration section.

Each section (data, encoder, clustering, …) is a `Settings` subclass that lives beside the code
that reads it; `tfx_pipeline.settings.run_config` composes them into the one configuration of a run.
Sections travel through TFX execution properties as JSON and come back through `Settings.from_json`.
"""

from __future__ import annotations

import datetime
import json
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import pydantic
from pydantic_core import PydanticCustomError

from trainer.errors import UserError
from trainer.setting_errors import explain

S = TypeVar("S", bound="Settings")


class ConfigError(UserError):
    """A setting is unknown, of the wrong type or out of range. The message names it."""


class Settings(pydantic.BaseModel):
    """Immutable, validated group of settings; unknown keys are errors.

    Example:
        >>> class Gates(Settings):
        ...     margin: float = 0.05
        >>> Gates.from_dict({"margn": 0.1})
        Traceback (most recent call last):
        trainer.settings.ConfigError: unknown setting 'margn'; did you mean 'margin'?
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _nothing_misread(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        """Refuses what pydantic would take for something else.

        True is not 1, and 2019 is a year, not 2,019 seconds after the beginning of 1970.
        """
        kinds = set(_kinds(cls.model_fields[str(info.field_name)].annotation))
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise PydanticCustomError("number_type", "must not be true or false")
        if datetime.datetime in kinds and _is_number(value):
            raise PydanticCustomError("datetime_type", "a number")
        return value

    @classmethod
    def from_dict(cls: type[S], values: Mapping[str, Any], prefix: str = "") -> S:
        """Builds the section from plain values.

        Args:
            values: setting name to value; nested sections as nested mappings.
            prefix: where the section sits in the whole configuration, for messages ("encoder.").

        Raises:
            ConfigError: naming the setting at fault, the nearest valid name if it is unknown.
        """
        try:
            return cls.model_validate(dict(values))
        except pydantic.ValidationError as error:
            raise ConfigError(explain(cls, error, prefix)) from None

    def updated(self: S, values: Mapping[str, Any]) -> S:
        """The settings with some of them replaced, validated anew.

        Args:
            values: dotted name of a setting ("encoder.dropout") to its new value.

        Raises:
            ConfigError: a name is not a setting, or its value does not fit.
        """
        plain: dict[str, Any] = self.model_dump()
        for name, value in values.items():
            *sections, key = name.split(".")
            section = plain
            for part in sections:
                section = section.setdefault(part, {})
                if not isinstance(section, dict):
                    raise ConfigError(f"unknown setting {name!r}; {part!r} is not a section")
            section[key] = value
        return self.from_dict(plain)

    def to_json(self) -> str:
        """Canonical JSON of all values: the same settings always give the same string."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls: type[S], text: str) -> S:
        """Inverse of `to_json`."""
        return cls.from_dict(json.loads(text))


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types in an annotation: all alternatives, and what is inside of lists."""
    inside = typing.get_args(annotation)
    if not inside:
        yield annotation
    for part in inside:
        # The values of a Literal are no types.
        if typing.get_origin(annotation) is not typing.Literal:
            yield from _kinds(part)


def _is_number(value: Any) -> bool:
    """Whether a value is a number, or text of one."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
