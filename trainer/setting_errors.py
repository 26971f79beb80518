"""What a wrong setting is told: its dotted name as the user writes it, what fits, what was given.

Pydantic reports one error for each alternative of a union, and puts the alternatives' names into
the place of the error. Here one setting gets one line, and its name has only parts that exist.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

import pydantic

from trainer.nearest import nearest

_SHOWN = 80
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "bool": "true or false",
    "string": "text",
    "dict": "a mapping, such as {name: value}",
    "mapping": "a mapping, such as {name: value}",
    "list": "a list, such as [a, b]",
    "tuple": "a list, such as [a, b]",
    "datetime": "a date, such as 2019-10-31 or 2019-10-31T18:30:00",
}
"""Beginning of pydantic's name of an error to what would have fitted."""


@dataclass(frozen=True)
class _Place:
    """Where an error is.

    Attributes:
        name: the setting, with dots.
        item: position in a list that is the setting's value, from 0; None outside of lists.
        holder: annotations of what holds the last part of the name.
        annotations: what may stand at the place.
    """

    name: str
    item: int | None
    holder: tuple[Any, ...]
    annotations: tuple[Any, ...]


def explain(cls: type[pydantic.BaseModel], error: pydantic.ValidationError, prefix: str) -> str:
    """A line for every setting at fault.

    Args:
        cls: the section that was validated.
        error: what pydantic found.
        prefix: where the section sits in the whole configuration ("encoder."), or "".
    """
    grouped: dict[str, list[tuple[_Place, Any]]] = {}
    for detail in error.errors(include_url=False):
        place = _locate(cls, detail["loc"], prefix)
        grouped.setdefault(place.name, []).append((place, detail))
    return "\n".join(_line(found) for found in grouped.values())


def _line(found: Sequence[tuple[_Place, Any]]) -> str:
    """The line of one setting, from the errors of all its alternatives."""
    # A list whose value is at fault is what was meant, so that other alternatives say nothing.
    inside = [place.item for place, _ in found if place.item is not None]
    if inside:
        found = [error for error in found if error[0].item == inside[0]]
    place, first = found[0]
    kinds = {detail["type"] for _, detail in found}
    if kinds & {"extra_forbidden", "invalid_key"}:
        return _unknown(place)
    sections = [kind for kind in place.annotations if _is_section(kind)]
    if sections and "model_type" in kinds:
        return (
            f"section {place.name!r} must hold settings, not {_shown(first['input'])}; "
            f"known here: {', '.join(sorted(sections[0].model_fields))}"
        )
    given = first["input"]
    if isinstance(given, Mapping) and given and not any(map(_is_mapping, place.annotations)):
        below = f"{place.name}.{next(iter(given))}"
        if not sections:
            return f"unknown setting {below!r}; {place.name!r} is one value and has no parts"
    wanted = dict.fromkeys(_wanted(detail) for _, detail in found)
    where = f"setting {place.name!r}" + ("" if place.item is None else f", value {place.item + 1}")
    if sections:
        return f"section {place.name!r}: {'; '.join(wanted)}" if place.name else "; ".join(wanted)
    hint = ""
    if "string_type" in kinds and isinstance(given, bool | int | float):
        hint = f"; to give text, quote it: {place.name}='\"…\"'"
    elif isinstance(given, str) and (near := nearest(given, _words(place.annotations))):
        hint = f"; did you mean {near!r}?"
    return f"{where}: {_joined(wanted)} (got {_shown(given)}{hint})"


def _words(annotations: Iterable[Any]) -> list[str]:
    """The words that a setting may be."""
    return [
        word
        for kind in annotations
        if typing.get_origin(kind) is Literal
        for word in typing.get_args(kind)
        if isinstance(word, str)
    ]


def _joined(wanted: Iterable[str]) -> str:
    """One phrase of several: "must be a or b"."""
    first, *others = wanted
    return " or ".join([first, *(other.removeprefix("must be ") for other in others)])


def _wanted(detail: Any) -> str:
    """What would have fitted, from one error."""
    kind, message, bounds = detail["type"], str(detail["msg"]), detail.get("ctx", {})
    if kind == "too_short":
        return f"must have at least {bounds['min_length']} values"
    if kind == "too_long":
        return f"must have at most {bounds['max_length']} values"
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        return f"must be {bounds['expected']}"
    for beginning, wanted in _WANTED.items():
        if kind == beginning or kind.startswith(f"{beginning}_"):
            # What is wrong with a text's length or form is named alike; its own message says more.
            if kind.startswith(("string_too_", "string_pattern_")):
                break
            return f"must be {wanted}"
    message = message.removeprefix("Value error, ")
    return message.replace("Input should", "must").replace("String should", "must")


def _unknown(place: _Place) -> str:
    """The line of a setting that does not exist."""
    before, _, last = place.name.rpartition(".")
    known = sorted(
        {name for kind in place.holder if _is_section(kind) for name in kind.model_fields}
    )
    near = nearest(last, known)
    path = f"{before}." if before else ""
    hint = f"did you mean {path + near!r}?" if near else f"known here: {', '.join(known)}"
    return f"unknown setting {place.name!r}; {hint}"


def _locate(cls: type[pydantic.BaseModel], location: Iterable[int | str], prefix: str) -> _Place:
    """Follows pydantic's location through the annotations; names of alternatives are left out."""
    holder: tuple[Any, ...] = ()
    here: tuple[Any, ...] = (cls,)
    names: list[str] = []
    item: int | None = None
    for part in location:
        below = [found for kind in here for found in _below(kind, part)]
        if not below and any(map(_is_section, here)):
            # A setting that its section does not have.
            names.append(str(part))
            holder, here = here, ()
        elif below and isinstance(part, int) and not any(map(_is_mapping, here)):
            item = part
            here = tuple(below)
        elif below and part != "[key]":
            names.append(str(part))
            holder, here = here, tuple(below)
    return _Place(prefix + ".".join(names), item, holder, here)


def _below(kind: Any, part: int | str) -> Iterator[Any]:
    """Annotations of what stands under a part of a location, below one alternative."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if _is_section(kind):
        if part in kind.model_fields:
            yield from _alternatives(kind.model_fields[part].annotation)
    elif origin is dict:
        yield from _alternatives(arguments[1])
    elif origin in (list, tuple) and isinstance(part, int):
        variadic = origin is list or arguments[-1] is ...
        yield from _alternatives(arguments[0 if variadic else min(part, len(arguments) - 1)])


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The members of a union, without what `Annotated` adds."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(typing.get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _alternatives(member)
    else:
        yield annotation


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _is_mapping(kind: Any) -> bool:
    return typing.get_origin(kind) is dict


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
