"""The gRPC client against scripted answers: retries, limits, errors, packed tensors."""

import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from cohortrec_client import (
    DeadlineExceeded,
    History,
    InvalidRequest,
    ModelNotFound,
    Patience,
    ServerError,
    ServerUnavailable,
    SignatureNotFound,
    connect,
)
from cohortrec_client.grpc_transport import to_message
from cohortrec_client.serving_messages import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    types_pb2,
)
from cohortrec_client.tensor import Tensor

QUICK = Patience(attempts=3, timeout=0.5, deadline=2.0, first_pause=0.01, longest_pause=0.02)
HISTORY = History(["a"], timestamps=[1])
CODE = grpc.StatusCode


def _answer(**changes):
    answer = predict_pb2.PredictResponse()
    tensors = {
        "item_ids": Tensor("string", (1, 2), [b"a", b"\xff"]),
        "scores": Tensor("float32", (1, 2), [2.0, 0.1]),
        "cluster_id": Tensor("int64", (1,), [-1]),
        "cluster_weights": Tensor("float32", (1, 1), [1.0]),
        **changes,
    }
    for name, tensor in tensors.items():
        answer.outputs[name].CopyFrom(to_message(tensor))
    return answer


class Scripted(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """Gives one answer or (status, message) after the other, the last one again and again."""

    def __init__(self, script):
        self.script = list(script)
        self.requests = []

    def Predict(self, request, context):
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step == "sleep":
            time.sleep(0.7)
        elif isinstance(step, tuple):
            context.abort(*step)
        return step

    def GetModelStatus(self, request, context):
        answer = get_model_status_pb2.GetModelStatusResponse()
        answer.model_version_status.add(version=3, state=30)
        answer.model_version_status.add(version=4, state=50).status.error_message = "broken"
        return answer


@contextmanager
def scripted(*script):
    service = Scripted(script)
    server = grpc.server(ThreadPoolExecutor(4))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    service.url = f"grpc://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield service
    finally:
        server.stop(0).wait()


def _ask(service, **version):
    with connect(service.url, "shop", patience=QUICK, **version) as client:
        return client.recommend(HISTORY)


def test_the_answer_is_typed_and_the_request_complete():
    with scripted(_answer()) as service:
        answer = _ask(service)
        (request,) = service.requests
    assert answer.item_ids == ("a", b"\xff".decode("utf-8", "surrogateescape"))
    assert answer.scores == (2.0, 0.10000000149011612)
    assert (answer.cluster, answer.cluster_weights) == (-1, (1.0,))
    assert (request.model_spec.name, request.model_spec.signature_name) == ("shop", "recommend")
    assert list(request.inputs["item_ids"].string_val) == [b"a"]
    assert list(request.inputs["timestamps"].int64_val) == [1]


def test_packed_numbers_are_read():
    answer = _answer()
    scores = answer.outputs["scores"]
    scores.ClearField("float_val")
    scores.tensor_content = struct.pack("<2f", 4.0, 0.5)
    with scripted(answer) as service:
        assert _ask(service).scores == (4.0, 0.5)


def test_versions_and_labels_are_asked_for():
    with scripted(_answer()) as service:
        _ask(service, version=7)
        _ask(service, label="canary")
        seventh, canary = (request.model_spec for request in service.requests)
    assert seventh.version.value == 7
    assert canary.version_label == "canary"


@pytest.mark.parametrize("code", [CODE.UNAVAILABLE, CODE.RESOURCE_EXHAUSTED])
def test_what_passes_with_time_is_tried_again(code):
    with scripted((code, "busy"), (code, "busy"), _answer()) as service:
        assert len(_ask(service)) == 2
        assert len(service.requests) == 3
    with scripted((code, "busy")) as service:
        with pytest.raises(ServerUnavailable, match="shop.*busy"):
            _ask(service)
        assert len(service.requests) == 3


def test_a_slow_try_is_given_up_and_repeated():
    with scripted("sleep", _answer()) as service:
        assert len(_ask(service)) == 2
    with scripted("sleep") as service, pytest.raises(DeadlineExceeded, match="no answer within"):
        began = time.monotonic()
        _ask(service)
    assert time.monotonic() - began < 4.0


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        (CODE.NOT_FOUND, "Servable not found for request: Latest(shop)", ModelNotFound),
        (CODE.INVALID_ARGUMENT, "Unrecognized servable version label: x", ModelNotFound),
        (CODE.FAILED_PRECONDITION, 'Serving signature key "r" not found.', SignatureNotFound),
        (CODE.INVALID_ARGUMENT, "input size does not match", InvalidRequest),
        (CODE.RESOURCE_EXHAUSTED, "Received message larger than max (9 vs. 4)", InvalidRequest),
        (CODE.UNIMPLEMENTED, "Method not found!", ServerError),
        (CODE.INTERNAL, "it broke", ServerError),
    ],
)
def test_other_refusals_are_final_and_clear(code, message, error):
    with scripted((code, message)) as service:
        with pytest.raises(error) as caught:
            _ask(service)
        assert "shop" in str(caught.value)
        assert message in str(caught.value)
        assert len(service.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"scores": Tensor("float32", (1, 2), [1.0, 2.0, 3.0])},
        {"scores": Tensor("int64", (1, 2), [1, 2])},
        {"cluster_id": Tensor("int64", (1, 1), [1])},
    ],
    ids=["shape", "type", "rank"],
)
def test_answers_of_another_model_are_errors(change):
    with scripted(_answer(**change)) as service, pytest.raises(ServerError):
        _ask(service)


def test_types_that_no_answer_has_are_errors():
    answer = _answer()
    answer.outputs["scores"].dtype = types_pb2.DT_COMPLEX64
    with scripted(answer) as service, pytest.raises(ServerError, match="DT_COMPLEX64"):
        _ask(service)


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"grpc://127.0.0.1:{free.getsockname()[1]}"
        client = connect(url, "shop", patience=QUICK)
        with client, pytest.raises(ServerUnavailable, match="no server answers"):
            client.recommend(HISTORY)


def test_the_status_of_versions():
    with scripted(_answer()) as service, connect(service.url, "shop") as client:
        found = client.status()
    assert [(v.version, v.state, v.error) for v in found] == [
        (4, "END", "broken"),
        (3, "AVAILABLE", ""),
    ]
