"""The stand-in model server, with which candidates are tried where there is no real one."""

import time

import grpc
import pytest
from tfx.components.infra_validator.error_types import JobAborted

from cohortrec_client import History, InvalidRequest, ModelNotFound, connect
from cohortrec_client.grpc_transport import GrpcTransport, to_message
from cohortrec_client.serving_messages import model_pb2, predict_pb2
from cohortrec_client.tensor import Tensor
from components.infra_validator.model_server import ModelServer
from components.infra_validator.process_runner import LocalProcessRunner
from components.infra_validator.stand_in.one_model import OneModel
from components.infra_validator.stand_in.refusal import Refusal
from tests.helpers.echo_model import write_echo_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Versions 2 and 10 of a model, and things beside them that are none."""
    shop = tmp_path_factory.mktemp("models") / "shop"
    for number in (2, 10):
        write_echo_model(shop / str(number), number)
    (shop / "manifests").mkdir()
    (shop / ".11.tmp").mkdir()
    return shop


@pytest.fixture(scope="module")
def server(models):
    runner = LocalProcessRunner(str(models / "2"), ModelServer())
    runner.Start()
    runner.WaitUntilRunning(time.time() + 120)
    yield runner
    runner.Stop()


def test_the_newest_version_answers(server):
    with connect(f"grpc://{server.GetEndpoint()}", "shop") as client:
        answer = client.recommend(History(["tea", "té"], timestamps=[2, 4]))
        assert (answer.item_ids, answer.cluster) == (("té", "tea"), 10)
        assert [(status.version, status.state) for status in client.status()] == [(10, "AVAILABLE")]


def test_another_model_version_or_label_is_refused(server):
    for name, choice in (("nope", {}), ("shop", {"version": 2}), ("shop", {"label": "stable"})):
        client = connect(f"grpc://{server.GetEndpoint()}", name, **choice)
        with client, pytest.raises(ModelNotFound, match="Servable not found"):
            client.recommend(History(["tea"], timestamps=[2]))


def test_the_version_may_be_named(models):
    served = OneModel("shop", models)
    spec = model_pb2.ModelSpec(name="shop")
    spec.version.value = 10
    with served.using(spec) as (number, _):
        assert number == 10


def test_a_small_message_cannot_stand_for_a_large_tensor(server):
    transport = GrpcTransport(f"grpc://{server.GetEndpoint()}", "shop")
    for shape in ((1 << 40,), (-1,), (20_000,)):
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "shop", "embed"
        tensor = Tensor("string", shape, [b"a"])
        request.inputs["examples"].CopyFrom(to_message(tensor))
        with pytest.raises(InvalidRequest):
            transport._ask(transport._predictions.Predict, request, 20.0)
    transport.close()


def test_a_model_that_does_not_load_ends_the_server(tmp_path):
    broken = write_echo_model(tmp_path / "shop" / "1")
    (broken / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    runner = LocalProcessRunner(str(broken), ModelServer())
    runner.Start()
    with pytest.raises(JobAborted, match="Failed to start server: version 1 of model 'shop'"):
        runner.WaitUntilRunning(time.time() + 120)
    runner.Stop()


def test_a_folder_without_versions_is_refused(tmp_path):
    with pytest.raises(Refusal, match="has no version") as refused:
        OneModel("shop", tmp_path)
    assert refused.value.code == grpc.StatusCode.NOT_FOUND


def test_it_does_not_outlive_its_parent(models):
    runner = LocalProcessRunner(str(models / "2"), ModelServer())
    runner.Start()
    runner.WaitUntilRunning(time.time() + 120)
    process = runner._process
    process.stdin.close()
    assert process.wait(10) == 0
    runner.Stop()
