"""Addresses of single values inside execution properties that are JSON texts.

Kubeflow Pipelines can replace a whole parameter of a task, but nothing inside it, while TFX packs
the settings of a node into one JSON text. `custom_config.config.training.epochs` is the value
`["config"]["training"]["epochs"]` in the JSON of the property `custom_config`. JSON texts inside
JSON are stepped into like objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def leaves(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Address and value of everything in the properties that is no JSON object."""
    for name, value in properties.items():
        inner = _as_object(value)
        if inner is None:
            yield name, value
        else:
            yield from ((f"{name}.{below}", leaf) for below, leaf in leaves(inner))


def with_value(properties: Mapping[str, Any], address: str, value: Any) -> dict[str, Any]:
    """The properties with another value at an address.

    Raises:
        KeyError: there is nothing at the address.
    """
    name, _, below = address.partition(".")
    if name not in properties:
        raise KeyError(address)
    if not below:
        return {**properties, name: value}
    inner = _as_object(properties[name])
    if inner is None:
        raise KeyError(address)
    try:
        changed: Any = with_value(inner, below, value)
    except KeyError:
        raise KeyError(address) from None
    if isinstance(properties[name], str):
        changed = json.dumps(changed, sort_keys=True)
    return {**properties, name: changed}


def _as_object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None
