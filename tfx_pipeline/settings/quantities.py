"""Kubernetes quantities ("500m", "4Gi") as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

_FORM = re.compile(r"^(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$")
_FACTORS: dict[str | None, Decimal] = {
    None: Decimal(1),
    "m": Decimal("0.001"),
    **{name: Decimal(1000) ** (power + 1) for power, name in enumerate("kMGTP")},
    **{f"{name}i": Decimal(1024) ** (power + 1) for power, name in enumerate("KMGTP")},
}


def parse(text: str) -> Decimal:
    """The number that a quantity stands for: cores, or bytes.

    Raises:
        ValueError: it is no quantity, or zero.
    """
    found = _FORM.match(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no Kubernetes quantity; write it as 2, 500m (cores), 4Gi or 512M (bytes)"
        )
    value = Decimal(found[1]) * _FACTORS[found[2]]
    if not value:
        raise ValueError(f"{text!r} must be more than zero")
    return value


def gigabytes(text: str) -> float:
    """A quantity of bytes in units of 10^9, as Kubeflow Pipelines writes memory."""
    return float(parse(text) / Decimal(10) ** 9)
