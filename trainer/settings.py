"""Typed settings: the base class of every configuration section.

Each section (data, encoder, clustering, …) is a `Settings` subclass that lives beside the code
that reads it; `tfx_pipeline.config` composes them into the one configuration of a run. Sections
travel through TFX execution properties as JSON and come back through `Settings.from_json`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic

S = TypeVar("S", bound="Settings")


class ConfigError(ValueError):
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

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

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
            raise ConfigError(
                "\n".join(_explain(cls, detail, prefix) for detail in error.errors())
            ) from None

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


def _explain(cls: type[Settings], detail: Any, prefix: str) -> str:
    """One line for one pydantic error, with the dotted name of the setting."""
    location = [str(part) for part in detail["loc"]]
    name = prefix + ".".join(location)
    if detail["type"] != "extra_forbidden":
        return f"setting {name!r}: {detail['msg']} (got {detail['input']!r})"
    known = _field_names(cls, location[:-1])
    near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
    path = prefix + "".join(part + "." for part in location[:-1])
    hint = f"did you mean {path + near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return f"unknown setting {name!r}; {hint}"


def _field_names(cls: type[Settings], path: list[str]) -> list[str]:
    """Setting names of the section at `path` below `cls`."""
    for part in path:
        field = cls.model_fields.get(part)
        nested = field.annotation if field else None
        if not (isinstance(nested, type) and issubclass(nested, Settings)):
            return []
        cls = nested
    return sorted(cls.model_fields)
