"""Text columns as they are used: ids as written, other text tidied; what is neither is told."""

from __future__ import annotations

import json
from collections.abc import Container

import polars as pl

from components.behavior_example_gen.reading.missing import MISSING

# What needs a second look: JSON objects and lists, booleans, control characters, line breaks.
_CONTROL = r"[\p{Cc}\u2028\u2029]"
_ODD = rf"^(?:[\[{{]|(?i:true|false)$)|{_CONTROL}"
SEPARATOR = " / "


def as_text(values: pl.Series) -> pl.Series:
    """Any type as text; whole floats and decimals without decimals."""
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        text = values.fill_nan(None).cast(pl.String)
        return text.zip_with((whole != values).fill_null(True), whole.cast(pl.String))
    text = values.cast(pl.String).str.strip_chars()
    return text.str.replace(r"\.0*$", "") if values.dtype.is_decimal() else text


def ids(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Ids as text, exactly as written.

    Args:
        values: of any type; whole floats lose their ".0".

    Returns:
        The ids, null if missing or no id; and Boolean: there is a value, but no id. Objects,
        lists and booleans are none. Neither is text with a line break or another control
        character: the files between the steps of a pipeline have one id a line.
    """
    if values.dtype == pl.Boolean:
        return pl.Series(values.name, [None] * len(values), pl.String), values.is_not_null()
    text = as_text(values)
    text = text.set(text.is_in(MISSING), None)
    odd = text.str.contains(_ODD).fill_null(False)
    if odd.any():
        unique = text.filter(odd).unique()
        brackets = unique.filter(unique.str.contains(r"^[\[{]") & ~unique.str.contains(_CONTROL))
        odd &= ~text.is_in([value for value in brackets if not _is_container(value)])
        odd = odd.fill_null(False)
        text = text.set(odd, None)
    return text, odd


def key_text(values: pl.Series) -> pl.Series:
    """Ids as text; null if there is none."""
    return ids(values)[0]


def texts(values: pl.Series, known: Container[str] = ()) -> tuple[pl.Series, pl.Series]:
    """Descriptions as text.

    Args:
        values: of any type.
        known: words that are not missing values here, whatever they look like.

    Returns:
        The text without outer spaces and control characters, JSON lists joined by " / ", ""
        if missing; and Boolean: there is a value, but an object, which counts as missing.
    """
    text = as_text(values)
    odd = text.str.contains(_ODD).fill_null(False)
    lost = pl.repeat(False, len(text), dtype=pl.Boolean, eager=True)
    if odd.any():
        unique = text.filter(odd).unique()
        read = {value: _described(value) for value in unique}
        replaced = text.filter(odd).replace_strict(read, return_dtype=pl.String)
        text = text.scatter(odd.arg_true(), replaced)
        lost = odd & text.is_null()
        text = text.str.replace_all(_CONTROL, " ").str.strip_chars()
    missing = [word for word in MISSING if word not in known]
    return text.set(text.is_in(missing), None).fill_null(""), lost


def has_control_characters(values: pl.Series) -> pl.Series:
    """Boolean: line breaks or other control characters inside."""
    return as_text(values).str.contains(_CONTROL).fill_null(False)


def clean_text(values: pl.Series) -> pl.Series:
    """Text without outer spaces; "" if missing."""
    return texts(values)[0]


def is_missing_word(values: pl.Series) -> pl.Series:
    """Boolean: text such as NA, which stands for a missing value."""
    if values.dtype != pl.String:
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    text = values.str.strip_chars()
    return (text.is_in(MISSING) & (text != "")).fill_null(False)


def _is_container(text: str) -> bool:
    return isinstance(_json(text), dict | list)


def _described(text: str) -> str | None:
    """The parts of a JSON list; null for an object; other text as it is."""
    value = _json(text)
    if isinstance(value, dict):
        return None
    if not isinstance(value, list):
        return text
    if any(isinstance(part, dict | list) for part in value):
        return None
    parts = (part if isinstance(part, str) else json.dumps(part) for part in value)
    return SEPARATOR.join(part.strip() for part in parts if part.strip() not in MISSING)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
