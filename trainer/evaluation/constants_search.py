"""The search for what a recommender leaves open: its constants, one after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def to_try(
    start: Any, grid: Mapping[str, Sequence[Any]], values: Mapping[Any, float]
) -> Iterator[list[Any]]:
    """First the start, then the values of one constant after the other, the best so far kept.

    Args:
        start: the constants to begin with, a frozen dataclass.
        grid: what is tried, by the field of the constants.
        values: of the constants that were tried. The caller enters those of each list before it
            asks for the next one.
    """
    yield [start]
    for field, tried in grid.items():
        best = highest(values)
        variants = [dataclasses.replace(best, **{field: value}) for value in tried]
        if new := [each for each in variants if each not in values]:
            yield new


def highest(values: Mapping[Any, float]) -> Any:
    """The key of the highest value, of equal ones the first; NaN stands below all."""
    return max(values, key=lambda key: float(np.nan_to_num(values[key], nan=-1.0)))
