"""JSON requests as tensors and tensors as JSON, by the rules of TensorFlow Serving's REST API."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cohortrec_client.serving_messages import predict_pb2, types_pb2
from components.infra_validator.stand_in.c_tensors import dtype_of
from components.infra_validator.stand_in.refusal import invalid
from components.infra_validator.stand_in.tensor_messages import to_array, to_message

ROWS, COLUMNS = "instances", "inputs"
_INT64 = range(-(2**63), 2**63)


def parse(text: str) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        Refusal: it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(found, dict):
        raise invalid("the request is not a JSON object")
    if (ROWS in found) == (COLUMNS in found):
        raise invalid(f"give one of the keys {COLUMNS!r} and {ROWS!r}")
    if not isinstance(found.get("signature_name", ""), str):
        raise invalid("'signature_name' key must be a string value")
    return found


def to_request(body: Mapping[str, Any], expected: Mapping[str, Any]) -> Any:
    """A PredictRequest with the tensors of a parsed request.

    Args:
        body: what `parse` returned.
        expected: the signature's inputs, TensorInfo by name.

    Raises:
        Refusal: names, types or shapes are wrong.
    """
    by_name = _rows(body[ROWS], expected) if ROWS in body else _columns(body[COLUMNS], expected)
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = body.get("signature_name", "")
    for name, value in by_name.items():
        if name not in expected:
            raise invalid(f"JSON object: does not have named input: {name}")
        request.inputs[name].CopyFrom(to_message(_array(name, value, expected[name].dtype)))
    return request


def from_answer(answer: Any, by_row: bool) -> str:
    """The JSON text of a PredictResponse: `predictions` by row, or `outputs` by column.

    Raises:
        Refusal: the outputs have no common number of rows.
    """
    columns = {name: _plain(to_array(message)) for name, message in answer.outputs.items()}
    if not by_row:
        found = columns if len(columns) > 1 else next(iter(columns.values()))
        return json.dumps({"outputs": found}, ensure_ascii=False)
    if len({len(column) if isinstance(column, list) else -1 for column in columns.values()}) != 1:
        raise invalid("the outputs have different numbers of rows; ask with 'inputs'")
    rows: list[Any] = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    if len(columns) == 1:
        rows = next(iter(columns.values()))
    return json.dumps({"predictions": rows}, ensure_ascii=False)


def _columns(value: Any, expected: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) == {"b64"}:
        if len(expected) > 1:
            raise invalid("inputs is a plain value/list, but the signature has several inputs")
        return {next(iter(expected)): value}
    for name in expected:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: value[name] for name in expected}


def _rows(value: Any, expected: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, list) or not value:
        raise invalid("'instances' must be a list of at least one element")
    named = [isinstance(row, dict) and set(row) != {"b64"} for row in value]
    if not any(named):
        if len(expected) > 1:
            raise invalid("instances is a plain list, but the signature has several inputs")
        return {next(iter(expected)): value}
    for at, row in enumerate(value):
        if not named[at] or set(row) != set(expected):
            raise invalid(f"element {at} of 'instances': keys must be {sorted(expected)}")
    return {name: [row[name] for row in value] for name in expected}


def _array(name: str, value: Any, kind: int) -> np.ndarray:
    """A dense array from nested lists."""
    dtype = dtype_of(kind)
    shape: list[int] = []
    level = value
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    flat = value if shape else [value]
    for size in shape[1:]:
        if any(not isinstance(row, list) or len(row) != size for row in flat):
            raise invalid(f"input {name!r}: the lists are of different lengths or depths")
        flat = [cell for row in flat for cell in row]
    found = np.empty(len(flat), dtype)
    for at, cell in enumerate(flat):
        found[at] = _value(name, cell, kind)
    return found.reshape(shape)


def _value(name: str, cell: Any, kind: int) -> Any:
    """One value, of the right type."""
    number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    if kind == types_pb2.DT_STRING:
        if isinstance(cell, dict) and set(cell) == {"b64"} and isinstance(cell["b64"], str):
            try:
                return base64.b64decode(cell["b64"], validate=True)
            except (binascii.Error, ValueError):
                raise invalid(f"input {name!r}: Unable to base64 decode") from None
        if isinstance(cell, str):
            try:
                return cell.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError:
                raise invalid(f"input {name!r}: a lone surrogate is no text") from None
    elif kind in (types_pb2.DT_INT64, types_pb2.DT_INT32):
        if number and isinstance(cell, int) and cell in _INT64:
            return cell
    elif kind == types_pb2.DT_BOOL:
        if isinstance(cell, bool):
            return cell
    elif number:
        return cell
    raise invalid(
        f"input {name!r}: JSON value {str(cell)[:40]!r} is not of expected type: "
        f"{types_pb2.DataType.Name(kind)}"
    )


def _plain(values: np.ndarray) -> Any:
    """Nested lists that JSON can hold; numbers of 32 bits in as many digits as they have."""
    if values.dtype == np.dtype(object):
        texts = [raw.decode("utf-8", "surrogateescape") for raw in values.ravel().tolist()]
        return _nested(texts, values.shape)
    if values.dtype == np.dtype(np.float32):
        return _nested([float(str(value)) for value in values.ravel()], values.shape)
    return values.tolist()


def _nested(flat: list[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return flat[0]
    for size in reversed(shape[1:]):
        count = len(flat) // size if size else int(np.prod(shape[:1]))
        flat = [flat[at * size : (at + 1) * size] for at in range(count)]
    return flat
