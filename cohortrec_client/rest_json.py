"""Tensors as the JSON of TensorFlow Serving's REST API, and back."""

from __future__ import annotations

import base64
from array import array
from typing import Any

from cohortrec_client.item_ids import is_utf8, to_bytes
from cohortrec_client.recommendations import OUTPUTS
from cohortrec_client.tensor import Tensor


def to_json(tensor: Tensor) -> Any:
    """Nested lists; bytes that are no UTF-8 become `{"b64": …}`."""
    values = [_encoded(value) for value in tensor.values] if tensor.dtype == "string" else None
    nested: list[Any] = list(tensor.values) if values is None else values
    for size in reversed(tensor.shape[1:]):
        nested = [nested[at : at + size] for at in range(0, len(nested), size)]
    return nested


def from_json(name: str, value: Any) -> Tensor:
    """The output of that name from its nested lists.

    Raises:
        ValueError: the lists are ragged, or a value is not of the output's type.
    """
    shape: list[int] = []
    level = value
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    flat: list[Any] = value if isinstance(value, list) else [value]
    for size in shape[1:]:
        if any(not isinstance(row, list) or len(row) != size for row in flat):
            raise ValueError(f"output {name!r} is ragged")
        flat = [cell for row in flat for cell in row]
    dtype = OUTPUTS.get(name, ("float32", 0))[0]
    if dtype == "string":
        return Tensor("string", tuple(shape), [_decoded(cell) for cell in flat])
    if any(isinstance(cell, bool) or not isinstance(cell, (int, float)) for cell in flat):
        raise ValueError(f"output {name!r} holds something else than numbers")
    if dtype == "int64":
        return Tensor("int64", tuple(shape), [int(cell) for cell in flat])
    # A decimal text becomes the float32 that the model computed, as gRPC delivers it.
    return Tensor("float32", tuple(shape), array("f", flat).tolist())


def _encoded(raw: bytes) -> Any:
    if is_utf8(raw):
        return raw.decode("utf-8")
    return {"b64": base64.b64encode(raw).decode("ascii")}


def _decoded(cell: Any) -> bytes:
    if isinstance(cell, dict) and set(cell) == {"b64"}:
        return base64.b64decode(cell["b64"], validate=True)
    if not isinstance(cell, str):
        raise ValueError(f"{cell!r} is no text")
    return to_bytes(cell)
