"""gRPC on the stubs of tensorflow-serving-api."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc

from cohortrec_client.errors import InvalidRequest, ServerError, refusal
from cohortrec_client.serving_messages import (
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    tensor_pb2,
    types_pb2,
)
from cohortrec_client.tensor import Tensor
from cohortrec_client.transport import MAX_ANSWER_BYTES, VersionStatus

PORT = 8500

T = TypeVar("T")

_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    ("grpc.max_send_message_length", MAX_ANSWER_BYTES),
    # `Patience` retries, for REST and gRPC alike.
    ("grpc.enable_retries", 0),
    # Otherwise a connection that failed is not tried again for a second, whoever asks.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
]
_KINDS: dict[int, tuple[Any, str, str]] = {
    types_pb2.DT_FLOAT: ("float32", "float_val", "f"),
    types_pb2.DT_INT64: ("int64", "int64_val", "q"),
}
"""Number types of a cohortrec model: dtype, field of a TensorProto, type code of `array`."""


class GrpcTransport:
    """A model behind `grpc://host:8500`."""

    def __init__(
        self, server: str, name: str, *, version: int | None = None, label: str | None = None
    ) -> None:
        """Prepares a channel; it connects when something is asked.

        Args:
            server: `grpc://host:port`, or `grpcs://…` for TLS; the port is 8500 when not given.
            name: the model's name.
            version: ask for this version.
            label: ask for the version with this label.
        """
        parts = urlsplit(server)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        address = f"{host}:{parts.port or PORT}"
        if parts.scheme == "grpcs":
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(address, credentials, _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(address, _OPTIONS)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._where = f"model {name!r} at {server}"
        self._name = name
        self._version = version
        self._label = label

    def predict(
        self, signature: str, inputs: Mapping[str, Tensor], timeout: float
    ) -> dict[str, Tensor]:
        """See `Transport.predict`."""
        request = predict_pb2.PredictRequest(model_spec=self._model_spec())
        request.model_spec.signature_name = signature
        for name, tensor in inputs.items():
            request.inputs[name].CopyFrom(to_message(tensor))
        answer = self._ask(self._predictions.Predict, request, timeout)
        return {name: self._output(name, tensor) for name, tensor in answer.outputs.items()}

    def status(self, timeout: float) -> list[VersionStatus]:
        """See `Transport.status`."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self._name
        answer = self._ask(self._models.GetModelStatus, request, timeout)
        state = get_model_status_pb2.ModelVersionStatus.State
        return [
            VersionStatus(version.version, state.Name(version.state), version.status.error_message)
            for version in answer.model_version_status
        ]

    def close(self) -> None:
        """See `Transport.close`."""
        self._channel.close()

    def _model_spec(self) -> Any:
        spec = model_pb2.ModelSpec(name=self._name)
        if self._version is not None:
            spec.version.value = self._version
        elif self._label is not None:
            spec.version_label = self._label
        return spec

    def _ask(self, method: Callable[..., T], request: Any, timeout: float) -> T:
        try:
            return method(request, timeout=timeout)
        except grpc.RpcError as error:
            code, details = error.code(), error.details() or ""
            if code is grpc.StatusCode.UNAVAILABLE:
                details = f"no server answers ({details})"
            elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
                details = f"no answer within {timeout:.3g} s"
            raise refusal(code.name, details, self._where) from None

    def _output(self, name: str, message: Any) -> Tensor:
        try:
            return from_message(message)
        except ValueError as error:
            raise ServerError(f"{self._where}: output {name!r}: {error}") from None


def to_message(tensor: Tensor) -> Any:
    """A tensor as a TensorProto.

    Raises:
        InvalidRequest: a whole number does not fit into 64 bits.
    """
    message = tensor_pb2.TensorProto()
    for size in tensor.shape:
        message.tensor_shape.dim.add(size=size)
    if tensor.dtype == "string":
        message.dtype = types_pb2.DT_STRING
        message.string_val.extend(tensor.values)
        return message
    code, field = next((c, f) for c, (dtype, f, _) in _KINDS.items() if dtype == tensor.dtype)
    message.dtype = code
    try:
        getattr(message, field).extend(tensor.values)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(str(error)) from None
    return message


def from_message(message: Any) -> Tensor:
    """The tensor in a TensorProto, whether its values are listed or packed.

    Raises:
        ValueError: another type, or as many values as the shape does not have.
    """
    shape = tuple(dim.size for dim in message.tensor_shape.dim)
    size = 1
    for dim in shape:
        size *= dim
    if message.dtype == types_pb2.DT_STRING:
        values, dtype = list(message.string_val), "string"
    elif message.dtype in _KINDS:
        dtype, field, code = _KINDS[message.dtype]
        if message.tensor_content:
            packed = array(code, message.tensor_content)
            if sys.byteorder == "big":
                packed.byteswap()
            values = packed.tolist()
        else:
            values = list(getattr(message, field))
    else:
        raise ValueError(f"its type {types_pb2.DataType.Name(message.dtype)} is none of ours")
    # One value may stand for all that are equal.
    if len(values) == 1 and 1 < size <= MAX_ANSWER_BYTES:
        values *= size
    if len(values) != size:
        raise ValueError(f"{len(values)} values for the shape {list(shape)}")
    return Tensor(dtype, shape, values)  # type: ignore[arg-type]
