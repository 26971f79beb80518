"""The stand-in model server (a test double for TensorFlow Serving), by both of its protocols.

`TENSORFLOW_MODEL_SERVER=/path/to/tensorflow_model_server` runs the first class against the real
one as well.
"""

import contextlib
import json
import os
import shutil
import socket
import time
from dataclasses import replace

import httpx
import pytest
import tensorflow as tf

from cohortrec_client import (
    History,
    InvalidRequest,
    ModelNotFound,
    Patience,
    ServingError,
    SignatureNotFound,
    connect,
)
from cohortrec_client.tensor import Tensor
from components.infra_validator.model_server import VARIABLE, find_model_server
from tests.helpers.echo_model import write_echo_model
from tests.helpers.rest_servers import RestServer, serving

ODD = b"\xff\xfe".decode("utf-8", "surrogateescape")
PATIENCE = Patience(attempts=2, timeout=20.0, deadline=40.0)
HISTORIES = [
    History(["tea", "té", ODD], timestamps=[2, 4, 6]),
    History([]),
    History(["x"], timestamps=[-8]),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two versions of a model, and things beside them that are none."""
    folder = tmp_path_factory.mktemp("models")
    for number in (1, 2):
        write_echo_model(folder / "shop" / str(number), number)
    (folder / "shop" / "manifests").mkdir()
    (folder / "shop" / ".3.tmp").mkdir()
    return folder


@pytest.fixture(scope="module", params=["stand-in", "tensorflow_model_server"])
def server(request, models):
    """A running server of each kind."""
    if request.param == "stand-in":
        chosen = RestServer()
    elif os.environ.get(VARIABLE):
        chosen = RestServer(find_model_server().binary)
    else:
        pytest.skip(f"{VARIABLE} names no tensorflow_model_server")
    with serving(models / "shop" / "1", chosen) as runner:
        yield runner


@pytest.fixture(scope="module", params=["http", "grpc"])
def address(request, server):
    """Its address by each protocol."""
    port = server.rest_port if request.param == "http" else server.grpc_port
    return f"{request.param}://127.0.0.1:{port}"


def _url(server, path=""):
    return f"http://127.0.0.1:{server.rest_port}/v1/models/shop{path}"


def _post(server, content, path=":predict"):
    return httpx.post(_url(server, path), content=content, timeout=20.0)


class TestBothServers:
    def test_the_newest_version_answers(self, address):
        with connect(address, "shop", patience=PATIENCE) as client:
            first, empty, last = client.recommend_many(HISTORIES)
            assert [status.version for status in client.status()] == [2]
        assert first.item_ids == (ODD, "té", "tea")
        assert first.scores == (3.0, 2.0, 1.0)
        assert empty.item_ids == ()
        assert last.scores == (-4.0,)
        assert {answer.cluster for answer in (first, empty, last)} == {2}
        assert last.cluster_weights == (0.5, 0.5)

    def test_serialized_examples_are_answered(self, address):

        example = tf.train.Example()
        example.features.feature["item_ids"].bytes_list.value.extend([b"a", b"b"])
        example.features.feature["timestamps"].int64_list.value.extend([10, 20])
        with connect(address, "shop", patience=PATIENCE) as client:
            (answer,) = client.recommend_examples([example.SerializeToString()])
        assert list(answer) == [("b", 10.0), ("a", 5.0)]

    @pytest.mark.parametrize(
        ("name", "version", "error"),
        [("nope", {}, ModelNotFound), ("shop", {"version": 7}, ModelNotFound)],
    )
    def test_what_is_not_there_is_said(self, address, name, version, error):
        client = connect(address, name, patience=PATIENCE, **version)
        with client, pytest.raises(error, match=name):
            client.recommend(HISTORIES[0])

    def test_a_wrong_signature_is_said(self, address):
        with connect(address, "shop") as client, pytest.raises(SignatureNotFound, match="nope"):
            client._transport.predict("nope", {}, 20.0)

    @pytest.mark.parametrize(
        "change",
        [
            {"item_ids": Tensor("int64", (1, 1), [1])},
            {"item_ids": Tensor("string", (1,), [b"a"])},
            {"item_ids": Tensor("string", (1, 1), [b"refused"])},
        ],
        ids=["type", "shape", "refused by the model"],
    )
    def test_wrong_inputs_are_said(self, address, change):
        inputs = {
            "item_ids": Tensor("string", (1, 1), [b"a"]),
            "actions": Tensor("string", (1, 1), [b"b"]),
            "timestamps": Tensor("int64", (1, 1), [1]),
        }
        with connect(address, "shop") as client:
            with pytest.raises(InvalidRequest):
                client._transport.predict("recommend", {**inputs, **change}, 20.0)
            del inputs["actions"]
            with pytest.raises(InvalidRequest):
                client._transport.predict("recommend", inputs, 20.0)

    def test_rows_and_columns_of_json(self, server):
        row = {"item_ids": ["a", "b"], "actions": ["", ""], "timestamps": [2, 4]}
        request = {"signature_name": "recommend", "instances": [row, row]}
        rows = _post(server, json.dumps(request)).json()["predictions"]
        assert len(rows) == 2
        assert rows[0] == {
            "item_ids": ["b", "a"],
            "scores": [2.0, 1.0],
            "cluster_id": 2,
            "cluster_weights": [0.5, 0.5],
        }
        one = {"signature_name": "embed", "inputs": {"examples": [{"b64": "YWJj"}]}}
        assert _post(server, json.dumps(one)).json() == {"outputs": [[1.5]]}
        plain = {"signature_name": "embed", "instances": [{"b64": "YWJj"}]}
        assert _post(server, json.dumps(plain)).json() == {"predictions": [[1.5]]}

    def test_the_signatures_are_described(self, server):
        answer = httpx.get(_url(server, "/metadata")).json()
        found = answer["metadata"]["signature_def"]["signature_def"]
        assert answer["model_spec"]["version"] == "2"
        assert {"recommend", "serving_default", "embed"} <= set(found)
        assert found["recommend"]["inputs"]["timestamps"]["dtype"] == "DT_INT64"


HOSTILE = {
    "empty": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "deep": b'{"inputs": ' + b"[" * 200_000,
    "no batch": b'{"signature_name": "recommend", "instances": []}',
    "both forms": b'{"inputs": {}, "instances": []}',
    "ragged": b'{"signature_name": "recommend", "inputs": {"item_ids": [["a"], []], '
    b'"actions": [["a"], ["b"]], "timestamps": [[1], [1]]}}',
    "NaN": b'{"signature_name": "recommend", "inputs": {"item_ids": [["a"]], '
    b'"actions": [["a"]], "timestamps": [[NaN]]}}',
    "huge number": b'{"signature_name": "recommend", "inputs": {"item_ids": [["a"]], '
    b'"actions": [["a"]], "timestamps": [[1' + b"0" * 4000 + b"]]}}",
    "no base64": b'{"signature_name": "embed", "inputs": [{"b64": "*"}]}',
    "half a character": b'{"signature_name": "embed", "inputs": ["\\ud800"]}',
}


@pytest.mark.parametrize("server", ["stand-in"], indirect=True)
class TestTheStandIn:
    @pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
    def test_what_is_wrong_is_refused_and_it_goes_on(self, server, content):
        assert _post(server, content).status_code == 400
        assert httpx.get(_url(server)).status_code == 200

    def test_large_requests_are_refused_unread(self, server):
        answer = _post(server, b"x" * (17 << 20))
        assert (answer.status_code, "larger" in answer.text) == (400, True)

    def test_idle_connections_do_not_keep_others_out(self, server):
        idle = [socket.create_connection(("127.0.0.1", server.rest_port)) for _ in range(20)]
        assert httpx.get(_url(server)).status_code == 200
        for connection in idle:
            connection.close()

    def test_long_histories_are_answered(self, server):
        long = History([f"i{n}" for n in range(100_000)], timestamps=[0] * 100_000)
        for address in (f"http://127.0.0.1:{server.rest_port}", server.GetEndpoint()):
            url = address if address.startswith("http") else f"grpc://{address}"
            with connect(url, "shop", patience=PATIENCE) as client:
                assert client.recommend(long).item_ids[0] == "i99999"


def test_versions_come_and_go(tmp_path):
    shop = tmp_path / "shop"
    write_echo_model(shop / "1", 1)
    with serving(shop / "1") as runner:
        address = f"http://127.0.0.1:{runner.rest_port}"
        with connect(address, "shop", patience=replace(PATIENCE, attempts=1)) as client:

            def cluster():
                return client.recommend(HISTORIES[0]).cluster

            assert cluster() == 1
            # A version that cannot be loaded leaves the last one in place.
            (shop / "2").mkdir()
            _until(lambda: "END" in {status.state for status in client.status()})
            assert cluster() == 1
            write_echo_model(tmp_path / "new", 3)
            (tmp_path / "new").rename(shop / "3")
            _until(lambda: cluster() == 3)
            shutil.rmtree(shop / "3")
            shutil.rmtree(shop / "2")
            _until(lambda: cluster() == 1)


def test_labels_of_a_models_config(models, tmp_path):
    config = tmp_path / "models.config"
    config.write_text(
        f'model_config_list {{ config {{ name: "m" base_path: "{models / "shop"}"'
        ' model_platform: "tensorflow"'
        " model_version_policy { specific { versions: 1 versions: 2 } }"
        ' version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 } } }'
    )

    class WithConfig(RestServer):
        def command(self, *where):
            flags = [f for f in super().command(*where) if not f.startswith("--model_")]
            return [*flags, f"--model_config_file={config}"]

    with serving(models / "shop" / "1", WithConfig()) as runner:
        for address in (f"http://127.0.0.1:{runner.rest_port}", f"grpc://{runner.GetEndpoint()}"):
            clusters = {}
            for label in ("stable", "canary"):
                with connect(address, "m", label=label, patience=PATIENCE) as client:
                    clusters[label] = client.recommend(HISTORIES[0]).cluster
            assert clusters == {"stable": 1, "canary": 2}
            with connect(address, "m", label="nope") as client, pytest.raises(ModelNotFound):
                client.recommend(HISTORIES[0])


def _until(condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(ServingError):
            if condition():
                return
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
