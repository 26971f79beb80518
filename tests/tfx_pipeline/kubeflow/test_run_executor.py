"""The command of a task's container, with artifacts in an object store."""

import json
import sys

import pytest

from tfx_pipeline.kubeflow import artifact_paths, run_executor
from tfx_pipeline.paths.inputs import InputError

pytestmark = pytest.mark.slow

ROOT = "minio://mlpipeline/v2/artifacts/run1"


def _artifact(path, **others):
    return {"artifacts": [{"uri": f"{ROOT}/{path}", **others}]}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder where the launcher would put what is in the object store."""
    monkeypatch.setitem(artifact_paths.MOUNTS, "minio://", str(tmp_path / "minio"))
    (tmp_path / "minio").mkdir()
    return tmp_path / "minio" / "mlpipeline" / "v2" / "artifacts" / "run1"


def test_artifacts_are_named_by_folders_and_by_uris_again(store):
    executor_input = {
        "inputs": {"artifacts": {"model": _artifact("Combiner/model")}},
        "outputs": {"artifacts": {"blessing": _artifact("Evaluator/blessing")}},
    }
    renamed = artifact_paths.to_local(executor_input)
    blessing = str(store / "Evaluator" / "blessing")
    model = executor_input["inputs"]["artifacts"]["model"]["artifacts"][0]["uri"]
    assert model == str(store / "Combiner" / "model")
    assert (store / "Evaluator" / "blessing").is_dir()
    assert not (store / "Combiner").exists()
    executor_output = {
        "artifacts": {
            "blessing": {
                "artifacts": [{"uri": blessing, "metadata": {"current_model": model, "blessed": 1}}]
            }
        }
    }
    artifact_paths.to_uris(executor_output, renamed)
    assert executor_output["artifacts"]["blessing"] == _artifact(
        "Evaluator/blessing", metadata={"current_model": f"{ROOT}/Combiner/model", "blessed": 1}
    )


def test_folders_and_other_uris_are_left_alone(tmp_path):
    executor_input = {
        "outputs": {
            "artifacts": {"a": {"artifacts": [{"uri": str(tmp_path / "x")}, {"uri": "hdfs://b"}]}}
        }
    }
    assert artifact_paths.to_local(executor_input) == {}
    assert (tmp_path / "x").is_dir()


def test_without_the_launcher_it_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(artifact_paths.MOUNTS, "minio://", str(tmp_path / "nothing"))
    executor_input = {"inputs": {"artifacts": {"model": _artifact("Combiner/model")}}}
    with pytest.raises(InputError, match="no .*nothing, where the launcher"):
        artifact_paths.to_local(executor_input)


def test_a_task_runs_and_says_what_it_made(compiled, store, tmp_path, monkeypatch):
    """CuratedSchema, the quickest node, by TFX's own entry point."""
    component = compiled.spec["components"]["CuratedSchema"]
    container = compiled.spec["deploymentSpec"]["executors"][component["executorLabel"]]
    inputs = compiled.spec["root"]["dag"]["tasks"]["CuratedSchema"]["inputs"]["parameters"]
    executor_input = {
        "inputs": {
            "parameterValues": {
                name: value["runtimeValue"]["constant"] for name, value in inputs.items()
            }
        },
        "outputs": {
            "artifacts": {
                name: _artifact(f"CuratedSchema/{name}", type=output["artifactType"])
                for name, output in component["outputDefinitions"]["artifacts"].items()
            },
            "outputFile": str(tmp_path / "out" / "output_metadata.json"),
        },
    }
    (tmp_path / "out").mkdir()
    arguments = [
        text.replace("{{$}}", json.dumps(executor_input)) for text in container["container"]["args"]
    ]
    monkeypatch.setattr(sys, "argv", ["run_executor", *arguments])
    run_executor.main()
    assert list((store / "CuratedSchema" / "schema").rglob("*.pbtxt"))
    output = json.loads((tmp_path / "out" / "output_metadata.json").read_text())
    (made,) = output["artifacts"]["schema"]["artifacts"]
    assert made["uri"] == f"{ROOT}/CuratedSchema/schema"
