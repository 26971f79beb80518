"""The Pusher: one version per model, whatever the number of runs."""

import json

import pytest
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from tfx_pipeline.pushing import Executor


@pytest.fixture
def push(tmp_path, monkeypatch):
    """Pushes a model with the given id, each at another second; returns the PushedModel."""
    clock = iter(range(1000, 2000))
    monkeypatch.setattr("tfx.components.pusher.executor.time.time", lambda: next(clock))

    def run(identity, blessed=True):
        second = next(clock)
        model = standard_artifacts.Model()
        model.uri = str(tmp_path / f"model-{second}")
        saved = tmp_path / f"model-{second}" / "Format-Serving"
        (saved / "assets.extra").mkdir(parents=True)
        (saved / "saved_model.pb").write_text("graph")
        if identity is not None:
            (saved / "assets.extra" / "model.json").write_text(json.dumps({"id": identity}))
        blessing = standard_artifacts.ModelBlessing()
        blessing.uri = str(tmp_path / f"blessing-{second}")
        blessing.set_int_custom_property("blessed", int(blessed))
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(tmp_path / f"pushed-{second}")
        destination = pusher_pb2.PushDestination()
        destination.filesystem.base_directory = str(tmp_path / "serving")
        Executor().Do(
            {"model": [model], "model_blessing": [blessing]},
            {"pushed_model": [pushed]},
            {"push_destination": proto_utils.proto_to_json(destination)},
        )
        return pushed

    return run


def _versions(tmp_path):
    return sorted(path.name for path in (tmp_path / "serving").glob("*"))


def test_a_served_model_is_not_pushed_again(push, tmp_path):
    first, again = push("a"), push("a")
    assert len(_versions(tmp_path)) == 1
    for pushed in (first, again):
        assert pushed.get_int_custom_property("pushed") == 1
        assert pushed.get_string_custom_property("pushed_version") == _versions(tmp_path)[0]
    push("b")
    # Back to the first model: the newest version must be what was pushed last.
    push("a")
    assert len(_versions(tmp_path)) == 3


def test_models_without_identity_are_always_pushed(push, tmp_path):
    push(None)
    push(None)
    assert len(_versions(tmp_path)) == 2


def test_a_refused_model_is_not_pushed(push, tmp_path):
    push("a")
    assert push("a", blessed=False).get_int_custom_property("pushed") == 0
    assert push("b", blessed=False).get_int_custom_property("pushed") == 0
    assert len(_versions(tmp_path)) == 1
