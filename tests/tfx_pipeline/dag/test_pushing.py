"""The Pusher: one version per model, whole or not at all, with the labels that it deserves."""

import dataclasses
import json
import multiprocessing
import shutil
import time

import pytest
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.baseline_model.record import BaselineRecord
from components.baseline_model.served_version import ServedVersion
from components.gates.push_record import PushRecord
from tests.helpers.pushed_versions import visible, write_model, write_versions
from tfx_pipeline.dag.pushing import Executor
from tfx_pipeline.deployment.rollout import finish_rollback, promote, roll_back
from tfx_pipeline.deployment.version_folder import VersionFolder
from tfx_pipeline.paths.inputs import InputError


@pytest.fixture
def folder(tmp_path):
    return VersionFolder(tmp_path / "serving")


def look(folder):
    """What BaselineModel records, without the model."""
    stable = folder.state().stable
    if stable is None:
        return BaselineRecord("own_items", "fff000", "nothing is served")
    identity = folder.model_id(stable) or ""
    return BaselineRecord(
        "served", str(stable), "it is stable", stable=str(stable), stable_identity=identity
    )


@pytest.fixture
def push(tmp_path, folder, monkeypatch):
    """Pushes a model with the given id, each at another second; returns the PushedModel.

    The baseline is what BaselineModel says that is served, by default at this very moment.
    """
    clock = iter(range(1000, 2000))
    monkeypatch.setattr("tfx.components.pusher.executor.time.time", lambda: next(clock))

    def run(identity, blessed=True, compared=None, **deployment):
        second = next(clock)
        model = standard_artifacts.Model()
        model.uri = str(tmp_path / f"model-{second}")
        write_model(tmp_path / f"model-{second}" / "Format-Serving", identity)
        blessing = standard_artifacts.ModelBlessing()
        blessing.uri = str(tmp_path / f"blessing-{second}")
        blessing.set_int_custom_property("blessed", int(blessed))
        baseline = standard_artifacts.Model()
        baseline.uri = str(tmp_path / f"baseline-{second}")
        (tmp_path / f"baseline-{second}").mkdir(exist_ok=True)
        (compared or look(folder)).write(baseline.uri)
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(tmp_path / f"pushed-{second}")
        destination = pusher_pb2.PushDestination()
        destination.filesystem.base_directory = str(tmp_path / "serving")
        Executor().Do(
            {"model": [model], "model_blessing": [blessing], "baseline_model": [baseline]},
            {"pushed_model": [pushed]},
            {
                "push_destination": proto_utils.proto_to_json(destination),
                "custom_config": json.dumps({"deployment": deployment}),
            },
        )
        return pushed

    return run


def test_a_push_leaves_a_model_and_what_servers_read(push, folder):
    pushed = push("a")
    version = pushed.get_string_custom_property("pushed_version")
    assert pushed.get_string_custom_property("pushed_destination") == str(folder.root / version)
    files = {
        path.relative_to(folder.root / version).as_posix()
        for path in folder.path(int(version)).rglob("*")
        if path.is_file()
    }
    assert files == {"saved_model.pb", "variables/variables.index", "assets.extra/model.json"}
    beside = {path.name for path in folder.root.iterdir()} - {version}
    assert beside == {
        *("models.config", "batching.config", "monitoring.config", "versions.json", ".lock")
    }


def test_a_served_model_is_not_pushed_again(push, folder):
    first, again = push("a"), push("a")
    assert len(visible(folder.root)) == 1
    assert [PushRecord.find(pushed.uri).served for pushed in (first, again)] == [False, True]
    for pushed in (first, again):
        assert pushed.get_int_custom_property("pushed") == 1
        version = pushed.get_string_custom_property("pushed_version")
        assert version == str(visible(folder.root)[0])
    push("b")
    # Back to the first model: the newest version must be what was pushed last.
    push("a")
    assert len(visible(folder.root)) == 3
    assert folder.state().stable == visible(folder.root)[-1]


def test_models_without_identity_are_always_pushed(push, folder):
    push(None)
    push(None)
    assert len(visible(folder.root)) == 2


def test_a_refused_model_is_not_pushed(push, folder):
    assert push("a", blessed=False).get_int_custom_property("pushed") == 0
    assert not folder.root.exists()
    push("a")
    refused = push("a", blessed=False)
    assert refused.get_int_custom_property("pushed") == 0
    record = PushRecord.find(refused.uri)
    assert record == PushRecord(str(visible(folder.root)[0]), served=True)
    assert push("b", blessed=False).get_int_custom_property("pushed") == 0
    assert len(visible(folder.root)) == 1


def test_new_settings_count_even_when_the_model_is_refused(push, folder):
    push("a")
    push("a", blessed=False, model_name="shop", poll_seconds=5)
    assert folder.record().deployment.model_name == "shop"
    assert 'name: "shop"' in (folder.root / "models.config").read_text()


def test_manual_promotion_makes_a_canary_first(push, folder):
    push("a", promote="manual")
    push("b", promote="manual")
    canary = push("b", promote="manual")
    first, second = visible(folder.root)
    assert (folder.state().stable, folder.state().canary) == (first, second)
    assert not PushRecord.find(canary.uri).served
    assert promote(folder).state.stable == second
    # A canary that is pushed again where promotion is automatic need not be copied.
    push("c", promote="manual")
    push("c")
    assert folder.state().stable == visible(folder.root)[-1]
    assert len(visible(folder.root)) == 3


def test_a_rolled_back_model_does_not_come_back_by_itself(push, folder):
    push("a")
    push("b")
    first, second = visible(folder.root)
    roll_back(folder)
    refused = push("b")
    assert refused.get_int_custom_property("pushed") == 0
    assert PushRecord.find(refused.uri) == PushRecord(str(second), withdrawn=True)
    # A push comes long after a rollback: no server looks for the version any more.
    assert visible(folder.root) == [first]
    assert folder.state().stable == first
    push("c")
    assert folder.state().stable == visible(folder.root)[-1] > second
    # Nor does it when its files are gone.
    push("d"), push("e"), push("f")
    assert not folder.path(second).exists()
    assert push("b").get_int_custom_property("pushed") == 0


def test_a_folder_of_an_earlier_release_gets_its_labels(push, folder):
    write_versions(folder.root, 1, 2)
    push("a", kept_versions=5)
    new = visible(folder.root)[-1]
    assert folder.state().stable == new
    assert roll_back(folder).state.stable == 2
    finish_rollback(folder, 0)
    assert visible(folder.root) == [1, 2]


def test_a_copy_killed_in_the_middle_is_never_seen(push, folder, monkeypatch):
    push("a")
    (before,) = visible(folder.root)
    copy = fileio.copy
    copied = multiprocessing.get_context("fork").Event()

    def slow_copy(source, target, overwrite=False):
        copy(source, target, overwrite)
        if ".push-" in target and "variables" in target:
            copied.set()
            time.sleep(60)

    with monkeypatch.context() as patched:
        patched.setattr(fileio, "copy", slow_copy)
        process = multiprocessing.get_context("fork").Process(target=push, args=["b"])
        process.start()
        assert copied.wait(30)
        assert visible(folder.root) == [before]
        process.kill()
        process.join(30)
    assert visible(folder.root) == [before]
    assert folder.state().stable == before
    assert list(folder.root.glob(".push-*/*/variables/variables.index"))
    # The lock died with its owner, and the next push clears the rest.
    push("b")
    assert not list(folder.root.glob(".push-*"))
    assert len(visible(folder.root)) == 2


def test_a_crash_between_copy_and_labels_is_made_good(push, folder, monkeypatch):
    push("a")

    def crash(*_):
        raise OSError("the power is gone")

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(VersionFolder, "commit", crash)
        push("b")
    old, new = visible(folder.root)
    assert folder.state().stable == old
    push("b")
    assert visible(folder.root) == [old, new]
    assert folder.state().stable == new


def test_what_was_not_compared_with_the_served_model_is_not_pushed(push, folder):
    """Two runs at once: the later Pusher must not replace a model that it knows nothing of."""
    push("a")
    (first,) = visible(folder.root)
    compared = look(folder)
    push("c")
    labels = (folder.root / "models.config").read_text()
    overtaken = push("b", compared=compared, model_name="shop")
    now = folder.state().stable
    assert visible(folder.root) == [first, now]
    assert (folder.root / "models.config").read_text() == labels
    assert overtaken.get_int_custom_property("pushed") == 0
    assert PushRecord.find(overtaken.uri) == PushRecord(
        overtaken=True, served_then=str(first), served_now=str(now)
    )
    # The next run compares with what is served, and pushes.
    push("b")
    assert folder.model_id(folder.state().stable) == "b"


def test_two_first_pushes(push, folder):
    nothing = look(folder)
    push("c")
    overtaken = push("b", compared=nothing)
    (only,) = visible(folder.root)
    assert PushRecord.find(overtaken.uri) == PushRecord(overtaken=True, served_now=str(only))
    # The same model as the one that came first is served already; there is nothing to overwrite.
    assert PushRecord.find(push("c", compared=nothing).uri).served


@pytest.mark.parametrize("change", [roll_back, promote])
def test_a_change_by_hand_during_the_run_counts(push, folder, change):
    push("a")
    push("b")
    push("c", promote="manual")
    compared = look(folder)
    after = change(folder).state.stable
    assert str(after) != compared.stable
    overtaken = push("d", compared=compared)
    assert PushRecord.find(overtaken.uri).served_now == str(after)
    assert folder.state().stable == after


def test_a_canary_that_came_meanwhile_is_not_served(push, folder):
    push("a")
    compared = look(folder)
    push("c", promote="manual")
    push("b", compared=compared, promote="manual")
    assert folder.model_id(folder.state().canary) == "b"


def test_another_model_under_the_same_number_was_not_compared(push, folder):
    push("a")
    compared = look(folder)
    write_model(folder.path(folder.state().stable), "another")
    assert PushRecord.find(push("b", compared=compared).uri).overtaken


def test_nothing_is_served_any_more(push, folder):
    push("a")
    compared = look(folder)
    shutil.rmtree(folder.root)
    record = PushRecord.find(push("b", compared=compared).uri)
    assert record == PushRecord(overtaken=True, served_then=compared.stable)


def test_a_useless_stable_version_keeps_nothing_out(push, folder):
    """BaselineModel passes it over. It must be as useless when the model is pushed."""
    write_versions(folder.root, 1, 2)
    free = dataclasses.replace(look(folder), kind="own_items", version="fff000", skipped=["2", "1"])
    usable = [ServedVersion("2", str(folder.path(2)))]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "components.baseline_model.served_version.find_served", lambda _: (*usable, [])
        )
        record = PushRecord.find(push("b", compared=free).uri)
    assert record == PushRecord(overtaken=True, served_then="2", served_now="2")
    push("b", compared=free)
    assert folder.model_id(folder.state().stable) == "b"


def test_an_object_store_is_asked_right_before_the_copy(push, folder, monkeypatch):
    write_versions(folder.root, 1)
    compared = look(folder)
    monkeypatch.setattr("tfx_pipeline.dag.pushing.is_remote", lambda base: True)
    assert PushRecord.find(push("b", compared=compared).uri).version
    overtaken = PushRecord.find(push("d", compared=compared).uri)
    assert (overtaken.overtaken, overtaken.served_then) == (True, "1")
    assert len(visible(folder.root)) == 2


def test_a_baseline_must_say_what_was_served(push, folder, monkeypatch):
    monkeypatch.setattr(BaselineRecord, "write", lambda self, uri: None)
    with pytest.raises(InputError, match="baseline.json"):
        push("a")
    assert not folder.root.exists()
