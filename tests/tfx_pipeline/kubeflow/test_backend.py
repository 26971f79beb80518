"""The test double of the backend: what it hands to tasks, what it refuses, when it stops."""

import copy
import json

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

from tests.tfx_pipeline.kubeflow.backend.backend import run_pipeline
from tests.tfx_pipeline.kubeflow.backend.conditions import holds
from tests.tfx_pipeline.kubeflow.backend.launcher import TaskFailed
from tests.tfx_pipeline.kubeflow.backend.specification import Refused

pytestmark = pytest.mark.slow

# A container that notes its ExecutorInput in its first output, and says things of the artifact.
SCRIPT = """
import json, os, sys
from pathlib import Path
given = json.loads(sys.argv[1])
if given["inputs"].get("parameterValues", {}).get("fail"):
    print("the reason of the failure")
    sys.exit(3)
[output] = given["outputs"]["artifacts"].values()
uri = output["artifacts"][0]["uri"]
folder = Path(os.environ["KFP_POD_ROOT"], "minio", uri.removeprefix("minio://"))
(folder / "deep").mkdir(parents=True)
(folder / "empty").mkdir()
(folder / "deep" / "given.json").write_text(sys.argv[1])
found = Path(os.environ["KFP_POD_ROOT"]).rglob("given.json")
seen = [str(path.relative_to(path.parents[2])) for path in found]
metadata = {"blessed": 1, "words": ["a"], "seen": seen}
told = {"artifacts": {"made": {"artifacts": [{"metadata": metadata}]}},
        "parameterValues": {"count": 7}}
Path(given["outputs"]["outputFile"]).write_text(json.dumps(told))
"""
TYPE = {"instanceSchema": "title: tfx.Model\ntype: object\n"}


def _component(inputs):
    return {
        "executorLabel": "exec-it",
        "inputDefinitions": inputs,
        "outputDefinitions": {
            "artifacts": {"made": {"artifactType": TYPE}},
            "parameters": {"count": {"parameterType": "NUMBER_INTEGER"}},
        },
    }


def _task(component, **more):
    return {"taskInfo": {"name": component}, "componentRef": {"name": component}, **more}


PIPELINE = {
    "pipelineInfo": {"name": "toy"},
    "schemaVersion": "2.1.0",
    "deploymentSpec": {
        "executors": {
            "exec-it": {
                "container": {"image": "i", "command": ["python", "-c", SCRIPT], "args": ["{{$}}"]}
            }
        }
    },
    "components": {
        "first": _component(
            {
                "parameters": {
                    "fail": {"parameterType": "BOOLEAN", "isOptional": True},
                    "text": {"parameterType": "STRING"},
                }
            }
        ),
        "second": _component(
            {
                "artifacts": {"model": {"artifactType": TYPE}},
                "parameters": {"count": {"parameterType": "NUMBER_INTEGER"}},
            }
        ),
    },
    "root": {
        "inputDefinitions": {
            "parameters": {
                "fail": {"parameterType": "BOOLEAN", "isOptional": True},
                "share": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.5},
            }
        },
        "dag": {
            "tasks": {
                "first": _task(
                    "first",
                    inputs={
                        "parameters": {
                            "fail": {"componentInputParameter": "fail"},
                            "text": {"componentInputParameter": "share"},
                        }
                    },
                ),
                "second": _task(
                    "second",
                    dependentTasks=["first"],
                    inputs={
                        "artifacts": {
                            "model": {
                                "taskOutputArtifact": {
                                    "producerTask": "first",
                                    "outputArtifactKey": "made",
                                }
                            }
                        },
                        "parameters": {
                            "count": {
                                "taskOutputParameter": {
                                    "producerTask": "first",
                                    "outputParameterKey": "count",
                                }
                            }
                        },
                    },
                ),
            }
        },
    },
}


def _run(tmp_path, pipeline=PIPELINE, **options):
    file = tmp_path / "p.yaml"
    file.write_text(yaml.safe_dump(pipeline))
    return run_pipeline(file, tmp_path / "run", tmp_path, **options)


def _changed(path, value):
    pipeline = copy.deepcopy(PIPELINE)
    *parents, key = path
    inner = pipeline
    for each in parents:
        inner = inner[each]
    inner[key] = value
    return pipeline


def _given(run, task):
    return json.loads((run.artifact(task, "made") / "deep/given.json").read_text())


def test_a_task_gets_what_the_backend_would_give(tmp_path):
    run = _run(tmp_path)
    first, second = _given(run, "first"), _given(run, "second")
    assert first["inputs"]["parameterValues"] == {"text": "0.5"}  # a number where text is due
    assert first["outputs"]["artifacts"]["made"]["artifacts"][0]["type"] == TYPE
    assert second["inputs"]["parameterValues"] == {"count": 7}
    [model] = second["inputs"]["artifacts"]["model"]["artifacts"]
    assert model["type"] == {"instanceSchema": ""}
    assert model["uri"].startswith("minio://mlpipeline/v2/artifacts/toy/")
    assert model["name"] == "1"
    assert model["metadata"]["blessed"] == 1
    assert model["metadata"]["words"] == {"list": ["a"]}
    assert model["metadata"]["display_name"] == "made"


def test_only_files_of_its_inputs_reach_a_pod(tmp_path):
    run = _run(tmp_path)
    own, of_input = ("second/made/deep/given.json", "first/made/deep/given.json")
    seen = run.records.as_input("second", "made").metadata["seen"]["list"]
    assert sorted(seen) == sorted(each.split("/", 1)[1] for each in (own, of_input))
    assert not (run.artifact("first", "made") / "empty").exists()
    assert list((tmp_path / "run/pods").iterdir()) == []


def test_newer_backends_tell_a_generic_type(tmp_path):
    run = _run(tmp_path, types="generic")
    [model] = _given(run, "second")["inputs"]["artifacts"]["model"]["artifacts"]
    assert model["type"] == {"schemaTitle": "Artifact"}


def test_a_failing_task_stops_the_run_and_shows_its_log(tmp_path):
    with pytest.raises(TaskFailed, match="first ended with exit code 3:\nthe reason of"):
        _run(tmp_path, parameters={"fail": True})
    assert [path.name for path in (tmp_path / "run/logs").iterdir()] == ["first.log"]


@pytest.mark.parametrize("condition", ["inputs.parameter_values['count'] == 1.0", "false"])
def test_tasks_behind_a_condition_that_fails_do_not_run(condition, tmp_path):
    pipeline = _changed(
        ("root", "dag", "tasks", "second", "triggerPolicy"),
        {"condition": condition},
    )
    pipeline["root"]["dag"]["tasks"]["third"] = _task(
        "first",
        dependentTasks=["second"],
        inputs={"parameters": {"text": {"runtimeValue": {"constant": "x"}}}},
    )
    run = _run(tmp_path, pipeline)
    assert run.skipped == {"second", "third"}
    assert set(run.seconds) == {"first"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ("(inputs.artifacts['b'].artifacts[0].metadata['blessed'] == 1.0)", True),
        ("!((inputs.artifacts['b'].artifacts[0].metadata['blessed'] == 1.0))", False),
        ("((1.0 < 2.0) && (inputs.artifacts['b'].artifacts[0].uri == 'minio://!x'))", True),
        ("((1.0 > 2.0) || (inputs.parameter_values['n'] > 2.0))", True),
        ("inputs.parameter_values['n'] != 3.0", False),
    ],
)
def test_conditions(condition, expected):
    artifact = {"uri": "minio://!x", "metadata": {"blessed": 1}}
    inputs = {"artifacts": {"b": {"artifacts": [artifact]}}, "parameterValues": {"n": 3}}
    assert holds(condition, json_format.ParseDict(inputs, pb.ExecutorInput.Inputs())) is expected


@pytest.mark.parametrize(
    "condition", ["inputs.size()", "1.0", "inputs.artifacts['none']", "1.0 == '1'", "__import__"]
)
def test_conditions_that_are_not_understood(condition):
    with pytest.raises(Refused, match="condition"):
        holds(condition, pb.ExecutorInput.Inputs())


SECOND = ("root", "dag", "tasks", "second")
EXECUTORS = ("deploymentSpec", "executors")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schemaVersion",), "2.0.0", "only schema version 2.1.0"),
        (("unknown",), 1, "invalid pipeline spec"),
        ((*SECOND, "dependentTasks"), [], "without depending on them"),
        ((*SECOND, "dependentTasks"), ["first", "zero"], "unknown"),
        ((*SECOND, "parameterIterator"), {"itemInput": "x"}, "parameter_iterator"),
        ((*SECOND, "triggerPolicy"), {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}, "strategy"),
        ((*SECOND, "inputs", "parameters", "more"), {"componentInputParameter": "x"}, "declare"),
        ((*SECOND, "inputs", "parameters"), {}, "parameter count has no value"),
        (
            (*SECOND, "inputs", "parameters", "count"),
            {"runtimeValue": {"constant": "7"}},
            "got a string_value for NUMBER_INTEGER",
        ),
        (
            (*SECOND, "inputs", "parameters", "count"),
            {"runtimeValue": {"constantValue": {"intValue": 7}}},
            "not implemented in the backend",
        ),
        (
            (*SECOND, "inputs", "parameters", "count"),
            {"taskFinalStatus": {"producerTask": "first"}},
            "not implemented in the backend",
        ),
        (("root", "dag", "tasks", "a.b"), _task("first"), "letters, digits and hyphens"),
        ((*EXECUTORS, "exec-it"), {"resolver": {}}, "resolver"),
        (
            (*EXECUTORS, "exec-it", "container", "args"),
            ["{{$.inputs.uri}}"],
            "only the placeholder",
        ),
        (("components", "second", "executorLabel"), "none", "no executor 'none'"),
        (("components", "second"), {"dag": {"tasks": {}}}, "'dag'"),
    ],
)
def test_what_it_does_not_know_it_refuses(path, value, message, tmp_path):
    with pytest.raises(Refused, match=message):
        _run(tmp_path, _changed(path, value))


def test_run_parameters_are_checked(tmp_path):
    with pytest.raises(Refused, match="no run parameters"):
        _run(tmp_path, parameters={"typo": 1})
    (tmp_path / "other").mkdir()
    with pytest.raises(Refused, match="share: got a string_value for NUMBER_DOUBLE"):
        _run(tmp_path / "other", parameters={"share": "much"})


def test_metadata_that_the_backend_cannot_record(tmp_path):
    nothing = SCRIPT.replace('"blessed": 1', '"blessed": None')
    command = ["python", "-c", nothing]
    pipeline = _changed((*EXECUTORS, "exec-it", "container", "command"), command)
    with pytest.raises(Refused, match="first.made: blessed: the backend cannot record a null"):
        _run(tmp_path, pipeline)
