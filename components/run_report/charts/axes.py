"""Scales and ticks: from values to positions on the page."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Scale:
    """A linear or logarithmic map of [low, high] onto [start, end] in SVG units."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Position of a value."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = (math.log10(max(v, 1e-12)) for v in (value, low, high))
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) inside [low, high]."""
    if not high > low:
        return [low]
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if raw <= power * m * 1.0001)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 10, 100, … inside [low, high], with 2 and 5 between when the range is short."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 2 else (1, 2, 5)
    values = [m * 10.0**e for e in range(first, last + 1) for m in steps]
    return [value for value in values if low <= value <= high]


def whole_ticks(values: Sequence[int], about: int = 8) -> list[int]:
    """Some of the whole numbers from the first to the last value."""
    low, high = min(values), max(values)
    step = max(1, math.ceil((high - low) / about))
    return list(range(low, high + 1, step))


def padded(values: Sequence[float], from_zero: bool = False) -> tuple[float, float]:
    """Range of the values with some air, never of zero length."""
    low, high = min(values), max(values)
    if from_zero:
        return 0.0, high * 1.05 if high > 0 else 1.0
    air = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - air, high + air


_TIME_STEPS = (
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=10),
    dt.timedelta(hours=1),
    dt.timedelta(hours=6),
    dt.timedelta(days=1),
    dt.timedelta(days=7),
)


def time_ticks(
    first: dt.datetime, last: dt.datetime, about: int = 8
) -> list[tuple[dt.datetime, str]]:
    """Moments with short labels: months and years where the range is long, else days or hours."""
    span = last - first
    if span > dt.timedelta(days=70):
        return _month_ticks(first, last, about)
    step = next((s for s in _TIME_STEPS if span / s <= about + 1), _TIME_STEPS[-1])
    pattern = "%H:%M" if step < dt.timedelta(days=1) else None
    start = first.replace(hour=0, minute=0, second=0, microsecond=0)
    count = int(span / step) + int(dt.timedelta(days=1) / step) + 2
    moments = [start + i * step for i in range(count)]
    return [
        (m, m.strftime(pattern) if pattern else f"{m.day} {m:%b}")
        for m in moments
        if first <= m <= last
    ]


def _month_ticks(
    first: dt.datetime, last: dt.datetime, about: int
) -> list[tuple[dt.datetime, str]]:
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if months / s <= about), 120)
    labelled = []
    for i in range(first.year * 12 + first.month - 1, last.year * 12 + last.month, 1):
        moment = dt.datetime(i // 12, i % 12 + 1, 1, tzinfo=first.tzinfo)
        if i % step == 0 and first <= moment <= last:
            label = str(moment.year) if step >= 12 else f"{moment:%b %Y}"
            labelled.append((moment, label))
    return labelled
