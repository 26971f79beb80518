"""What every model of figures on the page shares."""

from __future__ import annotations

import math
from typing import Annotated, Any

import pydantic
from pydantic import BeforeValidator


def _finite_or_none(value: Any) -> Any:
    """JSON written by Python may hold NaN and Infinity: nothing was measured."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Measure = Annotated[float | None, BeforeValidator(_finite_or_none)]


class Figures(pydantic.BaseModel):
    """Base of all: immutable, unknown keys ignored."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
