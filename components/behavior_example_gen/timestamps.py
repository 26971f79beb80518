"""Times of any common form, mixed row by row, to epoch seconds UTC."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from trainer.epoch_units import EPOCH_UNITS, FINEST_UNIT

_ISO = (
    r"^([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[Tt ]+([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]+)?)?)?"
    r"\s*(Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?$"
)
_NUMBER = r"^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"
_COMPACT = r"^((?:19|20)[0-9]{6})([0-9]{6})?(?:\.0*)?$"
_COMPACT_RANGES = ((19_000_101, 20_991_231), (19_000_101_000_000, 20_991_231_235_959))
_PLAIN = "%Y-%m-%d %H:%M:%S"
_DAY = 86_400
_WIDEST_OFFSET = 18
_UNIVERSAL_TIME = r"(?:^|[^A-Za-z])(?:UTC|GMT|Z)(?:$|\s|\))"
_SAMPLE = datetime.datetime(2003, 2, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)

LATEST_COMPACT_DATE_AS_EPOCH = 20_991_231
"""Eight digits such as 20191001 are a date, if as an epoch second (in 1970) they are absurd."""


@dataclass(frozen=True)
class Times:
    """The times of a column."""

    seconds: pl.Series
    """Int64, epoch; null where no time can be read."""
    other_form: pl.Series
    """Boolean: read, but not by the format that was given."""


def read_times(values: pl.Series, form: str | None = None, compact_dates: bool = True) -> Times:
    """Parses times; those without a zone are UTC.

    Args:
        values: dates or datetimes; or text and numbers of any form that `epoch_seconds` reads.
        form: how text and numbers are written (strptime). What does not follow it is read as
            without a format, unless the format could be mistaken for one of those forms.
        compact_dates: see `epoch_seconds`.
    """
    nothing = pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    if form is None or values.dtype.is_temporal():
        return Times(epoch_seconds(values, compact_dates), nothing)
    seconds = _by_format(_text(values), form)
    if seconds.null_count() == 0 or _can_be_mistaken(form, compact_dates):
        return Times(seconds, nothing)
    rest = seconds.is_null()
    seconds = _fill(seconds, values, lambda part: epoch_seconds(part, compact_dates))
    return Times(seconds, rest & seconds.is_not_null())


def epoch_seconds(values: pl.Series, compact_dates: bool = True) -> pl.Series:
    """Parses times of the forms that leave no doubt; those without a zone are UTC.

    Args:
        values: text or numbers (ISO 8601, "2019-10-01 00:00:00 UTC", 20191001,
            20191001000245, epoch seconds, milli-, micro- or nanoseconds), dates or datetimes.
        compact_dates: 8 and 14 digits that make a date are one, and no epoch number.

    Returns:
        Int64, null where no time can be read.
    """
    kind = values.dtype
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        return _seconds(values.cast(pl.Datetime("us"), strict=False))
    if kind.is_numeric():
        return _from_numbers(values, compact_dates)
    text = _text(values)
    # The commonest form first: polars parses it without a regular expression.
    plain = text.str.strip_suffix("Z").str.strip_suffix(" UTC").str.replace("T", " ", literal=True)
    seconds = _seconds(plain.str.strptime(pl.Datetime("us"), _PLAIN, strict=False))
    if compact_dates:
        seconds = _fill(seconds, text, _from_compact)
    seconds = _fill(seconds, text, _from_numeric_text)
    return _fill(seconds, text, _from_iso_text)


def check_format(form: str) -> None:
    """Checks that a format describes dates.

    Raises:
        ValueError: saying why it does not.
    """
    try:
        written = _written(form)
    except pl.exceptions.PolarsError:
        raise ValueError("is no strptime format; see the codes of strftime, such as %Y") from None
    try:
        [seconds] = _by_format(written, form)
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if seconds is None or seconds // _DAY != int(_SAMPLE.timestamp()) // _DAY:
        raise ValueError(
            f"does not give the day back: it writes {_SAMPLE:%Y-%m-%d %H:%M:%S} as {written[0]!r}"
        )


def _text(values: pl.Series) -> pl.Series:
    """Text without outer spaces; whole numbers without a decimal point."""
    if values.dtype.is_float() or values.dtype.is_decimal():
        numbers = values.cast(pl.Float64)
        whole = numbers.cast(pl.Int64, strict=False)
        text = numbers.cast(pl.String)
        return text.zip_with((whole != numbers).fill_null(True), whole.cast(pl.String))
    if values.dtype.is_temporal() or values.dtype in (pl.Boolean, pl.Binary):
        return pl.repeat(None, len(values), dtype=pl.String, eager=True)
    return values.cast(pl.String).str.strip_chars()


def _fill(
    seconds: pl.Series, values: pl.Series, parse: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """Parses what is still null."""
    rows = seconds.is_null().arg_true()
    if rows.is_empty():
        return seconds
    return seconds.scatter(rows, parse(values.gather(rows)))


def _seconds(times: pl.Series) -> pl.Series:
    return times.dt.epoch("us") // 1_000_000


def _from_numbers(numbers: pl.Series, compact_dates: bool) -> pl.Series:
    """Epoch numbers, the size of each tells its unit; and dates in digits."""
    if numbers.dtype.is_float() or numbers.dtype.is_decimal():
        numbers = numbers.cast(pl.Float64).fill_nan(None)
    elif numbers.dtype != pl.Int64:
        numbers = numbers.cast(pl.Float64)
    column = pl.col("number")
    seconds = column // FINEST_UNIT
    for bound, divisor in reversed(EPOCH_UNITS):
        seconds = pl.when(column.abs() < bound).then(column // divisor).otherwise(seconds)
    frame = pl.DataFrame({"number": numbers})
    result = frame.select(seconds.cast(pl.Int64, strict=False)).to_series()
    if not compact_dates:
        return result
    looks = pl.any_horizontal(column.is_between(*bounds) for bounds in _COMPACT_RANGES)
    rows = frame.select(looks.fill_null(False)).to_series().arg_true()
    if rows.is_empty():
        return result
    dates = _from_compact(numbers.gather(rows).cast(pl.Int64).cast(pl.String))
    return result.scatter(rows, dates.zip_with(dates.is_not_null(), result.gather(rows)))


def _from_compact(text: pl.Series) -> pl.Series:
    """YYYYMMDD and YYYYMMDDhhmmss."""
    text = text.set(~text.str.contains(_COMPACT), None)
    if text.null_count() == len(text):
        return pl.repeat(None, len(text), dtype=pl.Int64, eager=True)
    part = text.str.extract_groups(_COMPACT).struct.unnest()
    stamp = part.select(pl.col("1") + pl.col("2").fill_null("000000")).to_series()
    return _seconds(stamp.str.strptime(pl.Datetime("us"), "%Y%m%d%H%M%S", strict=False))


def _from_numeric_text(text: pl.Series) -> pl.Series:
    """Epoch numbers in text."""
    numbers = text.set(~text.str.contains(_NUMBER), None)
    exact = numbers.cast(pl.Int64, strict=False)
    if exact.null_count() > numbers.null_count():
        exact = numbers.cast(pl.Float64, strict=False)
    return _from_numbers(exact, compact_dates=False)


def _from_iso_text(text: pl.Series) -> pl.Series:
    """Every form of ISO 8601 date and time, and zones; 24:00:00 and leap seconds."""
    part = text.str.extract_groups(_ISO).struct.unnest()
    year, month, day, hour, minute, second, zone = (pl.col(str(i)) for i in range(1, 8))
    date = pl.concat_str(year, month, day).str.strptime(pl.Date, "%Y%m%d", strict=False)
    hours, minutes, seconds = (
        unit.cast(pl.Int64, strict=False).fill_null(0) for unit in (hour, minute, second)
    )
    of_day = hours * 3600 + minutes * 60 + seconds
    valid = (minutes < 60) & (seconds <= 60) & ((hours < 24) | (of_day == _DAY))
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    digits = zone.str.replace_all(r"[^0-9]", "")
    zone_hours = digits.str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0)
    zone_minutes = digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    valid &= (zone_hours <= _WIDEST_OFFSET) & (zone_minutes < 60)
    offset = (sign * (zone_hours * 3600 + zone_minutes * 60)).fill_null(0)
    time = date.cast(pl.Datetime("us")).dt.epoch("us") // 1_000_000 + of_day - offset
    return part.select(pl.when(valid).then(time)).to_series()


def _by_format(text: pl.Series, form: str) -> pl.Series:
    """Epoch seconds of what follows the format."""
    [written] = _written(form)
    if written.isdecimal():
        # Numbers, perhaps written with decimals, have no leading zeros.
        text = text.str.replace(r"\.0*$", "").str.zfill(len(written))
    if "%Z" in form:
        # The codes of zones are not unique (CST is three), and polars takes any for UTC.
        text = text.set(~text.str.contains(_UNIVERSAL_TIME), None)
    if form.endswith("%z"):
        text = text.str.replace(r"[Zz]$", "+0000")
    return _seconds(text.str.strptime(pl.Datetime("us"), _dialect(form), strict=False))


def _written(form: str) -> pl.Series:
    """The sample in the format, one value."""
    return pl.Series([_SAMPLE]).dt.strftime(_dialect(form))


def _dialect(form: str) -> str:
    """Fractions of a second as polars writes them."""
    return form.replace(".%f", "%.f")


def _can_be_mistaken(form: str, compact_dates: bool) -> bool:
    """What is written in the format also looks like another time, such as day before month."""
    written = _written(form)
    other = epoch_seconds(written, compact_dates)[0]
    return other is not None and other != _by_format(written, form)[0]
