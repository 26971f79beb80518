"""Times of any common form, mixed row by row, to epoch seconds UTC."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from trainer.epoch_units import EPOCH_UNITS, FINEST_UNIT

_ISO = (
    r"^(\d{4})-?(\d{2})-?(\d{2})(?:[Tt ]+(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_NUMBER = r"^\d+(\.\d*)?$"
_DATE_DIGITS = r"^(19|20)\d{6}$"
_PLAIN = "%Y-%m-%d %H:%M:%S"


def epoch_seconds(values: pl.Series, extra_format: str | None = None) -> pl.Series:
    """Parses times; those without a zone are UTC.

    Args:
        values: text (ISO 8601, "2019-10-01 00:00:00 UTC", epoch seconds, milli-, micro- or
            nanoseconds), numbers (epoch), dates or datetimes.
        extra_format: strptime format for text that nothing else understands.

    Returns:
        Int64, null where no time can be read.
    """
    kind = values.dtype
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        return _seconds(values.cast(pl.Datetime("us")))
    if kind.is_numeric():
        return _from_numbers(values)
    text = values.cast(pl.String).str.strip_chars()
    # The commonest form first: polars parses it without a regular expression.
    plain = text.str.strip_suffix("Z").str.strip_suffix(" UTC").str.replace("T", " ", literal=True)
    seconds = _seconds(plain.str.strptime(pl.Datetime("us"), _PLAIN, strict=False))
    seconds = _fill(seconds, text, _from_numeric_text)
    seconds = _fill(seconds, text, _from_iso_text)
    if extra_format is not None:
        seconds = _fill(seconds, text, lambda rest: _from_formatted(rest, extra_format))
    return seconds


def _fill(
    seconds: pl.Series, text: pl.Series, parse: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """Parses what is still null."""
    rows = seconds.is_null().arg_true()
    if rows.is_empty():
        return seconds
    return seconds.scatter(rows, parse(text.gather(rows)))


def _seconds(times: pl.Series) -> pl.Series:
    return times.dt.epoch("us") // 1_000_000


def _from_numbers(numbers: pl.Series) -> pl.Series:
    """Epoch numbers; the size of each tells its unit."""
    column = pl.col("number")
    seconds = column // FINEST_UNIT
    for bound, divisor in reversed(EPOCH_UNITS):
        seconds = pl.when(column < bound).then(column // divisor).otherwise(seconds)
    if numbers.dtype.is_float():
        numbers = numbers.fill_nan(None)
    frame = pl.DataFrame({"number": numbers})
    return frame.select(seconds.cast(pl.Int64, strict=False)).to_series()


def _from_numeric_text(text: pl.Series) -> pl.Series:
    """Epoch numbers in text; eight digits that look like a date are left for ISO 8601."""
    numeric = text.str.contains(_NUMBER) & ~text.str.contains(_DATE_DIGITS)
    numbers = text.set(~numeric, None)
    exact = numbers.cast(pl.Int64, strict=False)
    if exact.null_count() == numbers.null_count():
        return _from_numbers(exact)
    return _from_numbers(numbers.cast(pl.Float64, strict=False))


def _from_iso_text(text: pl.Series) -> pl.Series:
    """Every form of ISO 8601 date and time, and zones."""
    part = text.str.extract_groups(_ISO).struct.unnest()
    year, month, day, hour, minute, second, zone = (pl.col(str(i)) for i in range(1, 8))
    zero = pl.lit("00")
    stamp = pl.concat_str(
        year, pl.lit("-"), month, pl.lit("-"), day, pl.lit(" "),
        hour.fill_null(zero), pl.lit(":"), minute.fill_null(zero), pl.lit(":"),
        second.fill_null(zero),
    )  # fmt: skip
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    digits = zone.str.replace_all(r"[^0-9]", "")
    hours = digits.str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    offset = (sign * (hours * 3600 + minutes * 60)).fill_null(0)
    time = stamp.str.strptime(pl.Datetime("us"), _PLAIN, strict=False).dt.epoch("us") // 1_000_000
    return part.select(time - offset).to_series()


def _from_formatted(text: pl.Series, form: str) -> pl.Series:
    return _seconds(text.str.strptime(pl.Datetime("us"), form, strict=False))
