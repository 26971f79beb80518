"""TensorProtos as NumPy arrays, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cohortrec_client.serving_messages import tensor_pb2, types_pb2
from components.infra_validator.stand_in.c_tensors import dtype_of
from components.infra_validator.stand_in.refusal import invalid
from components.infra_validator.stand_in.saved_model import MAX_ELEMENTS

_FIELDS = {
    types_pb2.DT_STRING: "string_val",
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_BOOL: "bool_val",
}
_KINDS = {
    np.dtype(object): types_pb2.DT_STRING,
    np.dtype(np.float32): types_pb2.DT_FLOAT,
    np.dtype(np.float64): types_pb2.DT_DOUBLE,
    np.dtype(np.int32): types_pb2.DT_INT32,
    np.dtype(np.int64): types_pb2.DT_INT64,
    np.dtype(np.bool_): types_pb2.DT_BOOL,
}


def to_array(message: Any) -> np.ndarray:
    """The array in a TensorProto.

    Values that are missing at the end repeat the last one, as TensorFlow reads it, within
    `MAX_ELEMENTS`: a message of a few bytes must not stand for gigabytes.

    Raises:
        Refusal: type, shape and values do not go together, or there are too many.
    """
    dtype = dtype_of(message.dtype)
    shape = tuple(dim.size for dim in message.tensor_shape.dim)
    if message.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise invalid("a tensor's shape must be known")
    size = math.prod(shape)
    if size > MAX_ELEMENTS:
        raise invalid(f"a tensor of shape {list(shape)} is too large: {MAX_ELEMENTS:,} values")
    if message.tensor_content and dtype != np.dtype(object):
        if len(message.tensor_content) != size * dtype.itemsize:
            raise invalid(f"the content of a tensor does not fill the shape {list(shape)}")
        return np.frombuffer(message.tensor_content, dtype).reshape(shape)
    listed = getattr(message, _FIELDS[message.dtype])
    if len(listed) > size or (size and not listed):
        raise invalid(f"{len(listed)} values for a tensor of shape {list(shape)}")
    values = np.empty(size, dtype)
    values[: len(listed)] = list(listed)
    if len(listed) < size:
        values[len(listed) :] = listed[-1]
    return values.reshape(shape)


def to_message(values: np.ndarray) -> Any:
    """An array as a TensorProto with listed values."""
    kind = _KINDS[values.dtype]
    message = tensor_pb2.TensorProto(dtype=kind)
    for size in values.shape:
        message.tensor_shape.dim.add(size=size)
    getattr(message, _FIELDS[kind]).extend(values.ravel().tolist())
    return message
