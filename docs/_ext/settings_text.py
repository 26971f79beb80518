"""The reference of all settings, from the pydantic classes that check them."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

import annotated_types
from attribute_docs import attribute_docs
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tfx_pipeline.settings.run_config import RunConfig
from trainer.settings import Settings

_BOUNDS = (
    (annotated_types.Ge, "ge", "≥"),
    (annotated_types.Gt, "gt", ">"),
    (annotated_types.Le, "le", "≤"),
    (annotated_types.Lt, "lt", "<"),
)


def settings_text() -> str:
    """A heading and a table for each section, in the order of the configuration."""
    parts = []
    for name, field in RunConfig.model_fields.items():
        parts += _section(name, _settings_class(field), "##")
    return "\n".join(parts)


def _section(name: str, cls: type[Settings], heading: str) -> list[str]:
    lines = [f"{heading} {name}", "", _summary(cls), ""]
    lines += ["| setting | default | values | meaning |", "|---|---|---|---|"]
    docs = attribute_docs(cls)
    inner = []
    for key, field in cls.model_fields.items():
        if _is_settings(field.annotation):
            inner += ["", *_section(f"{name}.{key}", _settings_class(field), heading)]
            continue
        cells = (f"`{key}`", _default(field), _values(field), docs.get(key, ""))
        lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return [*lines, "", *inner]


def _summary(cls: type[Settings]) -> str:
    """What the class's docstring says before its attributes."""
    return inspect.cleandoc(cls.__doc__ or "").partition("Attributes:")[0].strip()


def _is_settings(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Settings)


def _settings_class(field: FieldInfo) -> type[Settings]:
    annotation = field.annotation
    assert isinstance(annotation, type)
    assert issubclass(annotation, Settings)
    return annotation


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "(needed)"
    if isinstance(value, Settings):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping | list | tuple | str | bool | int | float) or value is None:
        text = json.dumps(value, ensure_ascii=False, default=str)
        return f"`{value}`" if isinstance(value, str) and value else f"`{text}`"
    return f"`{value}`"


def _values(field: FieldInfo) -> str:
    """The allowed values in words: types, choices, bounds."""
    return _with_bounds(_type(field.annotation), field.metadata)


def _with_bounds(text: str, metadata: typing.Iterable[Any]) -> str:
    for entry in metadata:
        for bound, attribute, sign in _BOUNDS:
            if isinstance(entry, bound) or (
                isinstance(entry, FieldInfo) and getattr(entry, attribute, None) is not None
            ):
                text += f", {sign}\N{NO-BREAK SPACE}{getattr(entry, attribute)}"
        if isinstance(entry, FieldInfo):
            text = _with_bounds(text, entry.metadata)
    return text


def _type(annotation: Any) -> str:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _with_bounds(_type(inside[0]), inside[1:])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (typing.Union, types.UnionType):
        return "; or ".join(_type(part) for part in inside)
    if origin in (list, tuple):
        return f"list of: {_type(inside[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"mapping to: {_type(inside[1])}"
    if _is_settings(annotation):
        return "mapping of: " + ", ".join(f"`{name}`" for name in annotation.model_fields)
    names = {type(None): "null", str: "text", int: "whole number", float: "number"}
    names |= {bool: "true, false", Any: "anything"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _cell(text: str) -> str:
    # Not split(), which would take hard spaces for soft ones.
    return re.sub(r"[ \n]+", " ", text).replace("|", "\\|")
