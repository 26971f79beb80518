"""The gRPC services of the stand-in, on the stubs of tensorflow-serving-api."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

import grpc

from cohortrec_client.serving_messages import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from components.infra_validator.stand_in.predict import predict
from components.infra_validator.stand_in.refusal import Refusal
from components.infra_validator.stand_in.saved_model import SavedModel

MAX_MESSAGE_BYTES = 32 << 20
MAX_REQUESTS = 32
"""At the same time; more are refused."""

_WORKERS = 4
_LONGEST_SECONDS = 30.0
"""TensorFlow Serving's own limit, over REST."""

T = TypeVar("T")


class VersionOutcome(NamedTuple):
    """A version and what became of it."""

    number: int
    state: int
    """Of ModelVersionStatus."""
    fault: Refusal | None = None
    """Why it does not load."""


class Versions(Protocol):
    """The models that are served; both methods raise `Refusal` where a ModelSpec names none."""

    def using(self, spec: Any) -> AbstractContextManager[tuple[int, SavedModel]]:
        """The version that a ModelSpec means, kept loaded for as long as the block lasts."""

    def status(self, spec: Any) -> Sequence[VersionOutcome]:
        """The versions that a ModelSpec means, newest first."""


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """`Predict`; the other methods answer UNIMPLEMENTED."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Runs a signature."""
        left = context.time_remaining()
        timeout = _LONGEST_SECONDS if left is None else min(left, _LONGEST_SECONDS)
        return _answered(context, lambda: predict_on(self._versions, request, timeout))


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """`GetModelStatus`."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The state of a model's versions."""
        return _answered(context, lambda: status(self._versions, request))


def predict_on(versions: Versions, request: Any, timeout: float) -> Any:
    """Answers a PredictRequest; raises `Refusal`."""
    with versions.using(request.model_spec) as (number, model):
        answer = predict(model, request, timeout)
    answer.model_spec.name = request.model_spec.name
    answer.model_spec.version.value = number
    return answer


def status(versions: Versions, request: Any) -> Any:
    """Answers a GetModelStatusRequest; raises `Refusal`."""
    answer = get_model_status_pb2.GetModelStatusResponse()
    for version in versions.status(request.model_spec):
        entry = answer.model_version_status.add(version=version.number, state=version.state)
        if version.fault is not None:
            entry.status.error_code = version.fault.code.value[0]
            entry.status.error_message = version.fault.message
        else:
            entry.status.error_code = 0
    return answer


def grpc_server(versions: Versions, port: int) -> grpc.Server:
    """A started server on this machine's own address.

    Raises:
        RuntimeError: the port is taken.
    """
    server = grpc.server(
        ThreadPoolExecutor(_WORKERS),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            # Two servers must not share a port without noticing.
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=MAX_REQUESTS,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(versions), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(versions), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def _answered(context: grpc.ServicerContext, answer: Callable[[], T]) -> T | None:
    """The answer, or the status of a refusal; never an exception that gRPC would not explain."""
    try:
        return answer()
    except Refusal as refusal:
        context.abort(refusal.code, refusal.message)
    except (MemoryError, ValueError, OverflowError) as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, repr(error))
    return None
