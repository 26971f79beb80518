"""InfraValidator: TFX's own component and client, against the stand-in model server."""

import functools
import json
import os
import stat
import time
from types import SimpleNamespace

import pytest
from tfx.dsl.components.base import base_executor
from tfx.types import Channel, standard_artifacts

import trainer.serving.warmup
from components.infra_validator import executor as our_executor
from components.infra_validator.component import InfraValidator
from components.infra_validator.config import InfraConfig
from components.infra_validator.model_server import ModelServer, find_model_server
from components.infra_validator.record import InfraRecord
from tests.helpers.echo_model import write_echo_model
from tests.helpers.raw_histories import raw_history, write_records
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow


def _histories(folder, items):
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    examples.split_names = '["train", "test"]'
    (folder / "Split-train").mkdir(parents=True)
    rows = [raw_history(item_ids=[item], actions=["buy"], timestamps=[5]) for item in items]
    write_records(folder / "Split-train" / "data-00000.gz", rows)
    return examples


@pytest.fixture
def validate(tmp_path):
    """Runs the executor on a model; returns the blessing and what was recorded."""

    def run(folder, items=("a", "b"), config=None, server=None):
        node = InfraValidator(
            Channel(type=standard_artifacts.Model),
            Channel(type=standard_artifacts.Examples),
            config or InfraConfig(examples=2, max_loading_seconds=60),
            server or ModelServer(),
        )
        model, blessing = standard_artifacts.Model(), standard_artifacts.InfraBlessing()
        model.uri, blessing.uri = str(folder), str(tmp_path / "blessing")
        context = base_executor.BaseExecutor.Context(tmp_dir=str(tmp_path / "tmp"), unique_id="1")
        our_executor.Executor(context).Do(
            {"model": [model], "examples": [_histories(tmp_path / "examples", items)]},
            {"blessing": [blessing]},
            node.exec_properties,
        )
        return SimpleNamespace(
            blessed=blessing.get_int_custom_property("blessed") == 1,
            marker=(tmp_path / "blessing" / "INFRA_BLESSED").exists(),
            record=InfraRecord.find(blessing.uri),
        )

    return run


def _model(tmp_path, **options):
    write_echo_model(tmp_path / "model" / "Format-Serving", **options)
    return tmp_path / "model"


def test_a_model_that_answers_is_blessed(validate, tmp_path):
    found = validate(_model(tmp_path))
    assert found.blessed
    assert found.marker
    # Two histories to serving_default and embed, the same two and an empty one to recommend.
    assert found.record == InfraRecord("stand-in model server", 7, "")
    assert "stand-in model server loads the model and answers 7 requests" in found.record.sentence


def test_a_model_that_needs_python_is_refused(validate, tmp_path):
    found = validate(_model(tmp_path, python_op=True))
    assert not found.blessed
    assert not found.marker
    assert "EagerPyFunc" in found.record.fault


def test_a_model_that_fails_on_recommend_alone_is_refused(validate, tmp_path, monkeypatch):
    sent = []
    build = our_executor.recommend_requests
    monkeypatch.setattr(
        our_executor, "recommend_requests", lambda requests: sent.append(1) or build(requests)
    )
    found = validate(_model(tmp_path, refuses=b""), items=["a"])
    assert sent
    assert not found.blessed
    assert "refused item" in found.record.fault


@pytest.mark.parametrize(
    "damage",
    [
        lambda model: (model / "saved_model.pb").write_bytes(b"nonsense"),
        lambda model: (model / "saved_model.pb").unlink(),
        lambda model: (model / "variables" / "variables.index").write_bytes(b""),
    ],
    ids=["graph", "no graph", "variables"],
)
def test_a_damaged_model_is_refused_not_an_error(validate, tmp_path, damage):
    folder = _model(tmp_path)
    damage(folder / "Format-Serving")
    found = validate(folder)
    assert not found.blessed
    assert "cannot be served" in found.record.sentence
    assert found.record.fault


def test_a_model_that_fails_its_warm_up_is_refused(validate, tmp_path):
    folder = _model(tmp_path, refuses=b"cold")
    history = raw_history(item_ids=["cold"], timestamps=[1])
    trainer.serving.warmup.write_warmup(str(folder / "Format-Serving"), [history])
    found = validate(folder)
    assert not found.blessed
    assert "warm-up request 1 fails" in found.record.fault


def test_a_server_that_does_not_get_ready_is_stopped(validate, tmp_path):
    pid = tmp_path / "pid"
    sleeper = _program(tmp_path / "sleeper", f"echo $$ > {pid}; exec sleep 600")
    config = InfraConfig(max_loading_seconds=1)
    found = validate(_model(tmp_path), config=config, server=ModelServer(str(sleeper)))
    assert not found.blessed
    assert "infra.max_loading_seconds" in found.record.fault
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_real_binary_is_run_where_there_is_one(tmp_path, monkeypatch):
    binary = _program(tmp_path / "tensorflow_model_server", "exit 3")
    monkeypatch.setenv("TENSORFLOW_MODEL_SERVER", str(binary))
    server = find_model_server()
    assert server.name == "tensorflow_model_server"
    assert server.command("m", "/models/m", 1) == [
        str(binary),
        "--port=1",
        "--model_name=m",
        "--model_base_path=/models/m",
        "--max_num_load_retries=0",
    ]
    before = server.version
    time.sleep(0.01)
    _program(binary, "exit 4")
    assert find_model_server().version != before
    monkeypatch.delenv("TENSORFLOW_MODEL_SERVER")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_model_server() == server
    monkeypatch.setenv("PATH", "")
    assert find_model_server() == ModelServer()


def test_a_binary_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("TENSORFLOW_MODEL_SERVER", "/no/such/server")
    with pytest.raises(ConfigError, match="/no/such/server"):
        find_model_server()


def test_the_cache_sees_server_code_and_nonce():
    make = functools.partial(
        InfraValidator,
        Channel(type=standard_artifacts.Model),
        Channel(type=standard_artifacts.Examples),
        InfraConfig(examples=3),
    )
    node = make(ModelServer(), code_version="c", nonce="n")
    assert node.id == "InfraValidator"
    properties = node.exec_properties
    assert (properties["code_version"], properties["nonce"]) == ("c", "n")
    requests = json.loads(properties["request_spec"])
    assert (requests["num_examples"], requests["split_name"]) == (3, "train")


def _program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
