"""NumPy arrays as tensors of the C API, and back."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from cohortrec_client.serving_messages import types_pb2
from components.infra_validator.stand_in.c_api import TSTRING_BYTES, library
from components.infra_validator.stand_in.refusal import invalid

NUMBERS: dict[int, Any] = {
    types_pb2.DT_FLOAT: np.float32,
    types_pb2.DT_DOUBLE: np.float64,
    types_pb2.DT_INT32: np.int32,
    types_pb2.DT_INT64: np.int64,
    types_pb2.DT_BOOL: np.bool_,
}
"""TensorFlow's number types to NumPy's; strings are arrays of `bytes` objects."""


def dtype_of(kind: int) -> Any:
    """NumPy's dtype of a TensorFlow type.

    Raises:
        Refusal: this server does not know the type.
    """
    if kind == types_pb2.DT_STRING:
        return np.dtype(object)
    if kind not in NUMBERS:
        raise invalid(f"the stand-in model server has no type {types_pb2.DataType.Name(kind)}")
    return np.dtype(NUMBERS[kind])


def to_c(values: np.ndarray, kind: int) -> int:
    """Makes a tensor of the C API; the caller frees it with `free`.

    Args:
        values: objects of type `bytes` for strings, else numbers of the type's dtype.
        kind: TensorFlow's number of the type.
    """
    tf = library()
    is_text = kind == types_pb2.DT_STRING
    size = values.size * TSTRING_BYTES if is_text else values.nbytes
    dims = (ctypes.c_int64 * values.ndim)(*values.shape)
    tensor = tf.TF_AllocateTensor(kind, dims, values.ndim, size)
    data = tf.TF_TensorData(tensor)
    if not is_text:
        contiguous = np.ascontiguousarray(values)
        ctypes.memmove(data, contiguous.ctypes.data, contiguous.nbytes)
        return int(tensor)
    for at, text in enumerate(values.ravel().tolist()):
        place = data + at * TSTRING_BYTES
        tf.TF_StringInit(place)
        tf.TF_StringCopy(place, text, len(text))
    return int(tensor)


def from_c(tensor: int) -> np.ndarray:
    """A copy of a tensor of the C API.

    Raises:
        Refusal: this server does not know its type.
    """
    tf = library()
    kind = tf.TF_TensorType(tensor)
    shape = tuple(tf.TF_Dim(tensor, axis) for axis in range(tf.TF_NumDims(tensor)))
    data, dtype = tf.TF_TensorData(tensor), dtype_of(kind)
    if kind != types_pb2.DT_STRING:
        raw = ctypes.string_at(data, tf.TF_TensorByteSize(tensor))
        return np.frombuffer(raw, dtype).reshape(shape)
    values = np.empty(int(np.prod(shape)), object)
    for at in range(values.size):
        place = data + at * TSTRING_BYTES
        values[at] = ctypes.string_at(tf.TF_StringGetDataPointer(place), tf.TF_StringGetSize(place))
    return values.reshape(shape)


def free(tensor: int) -> None:
    """Frees a tensor, with its strings."""
    library().TF_DeleteTensor(tensor)
