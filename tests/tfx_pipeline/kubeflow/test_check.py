"""`cohortrec compile --check`: a good pipeline passes; each fault is found, and named."""

import re

import pytest
import yaml

from tests.helpers.terminal import cohortrec
from tfx_pipeline.kubeflow.check.report import faults, warnings
from tfx_pipeline.settings.kubeflow_config import KubeflowConfig

pytestmark = pytest.mark.slow


def _task(spec, name):
    return spec["root"]["dag"]["tasks"][name]


def _container(spec, name):
    return spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]


def _artifact(spec, task, key):
    return _task(spec, task)["inputs"]["artifacts"][key]["taskOutputArtifact"]


def _parameter(spec, task, key):
    return _task(spec, task)["inputs"]["parameters"][key]


def _argument(spec, task, name, value):
    arguments = _container(spec, task)["args"]
    arguments[arguments.index(name) + 1] = value


def test_a_compiled_pipeline_has_no_faults(compiled):
    assert faults(compiled) == []


# Each spoils a good pipeline in one way; the message must name task and input.
FAULTS = {
    "a producer is missing": (
        lambda s: _artifact(s, "Evaluator", "model").update(producerTask="Combiner"),
        r"task Evaluator: input 'model' comes from 'Combiner', which does not exist",
    ),
    "an output is missing": (
        lambda s: _artifact(s, "Transform", "schema").update(outputArtifactKey="shema"),
        r"task Transform: input 'schema': task CuratedSchema has no output 'shema'",
    ),
    "a component is missing": (
        lambda s: s["components"].pop("Pusher"),
        r"task Pusher: there is no component 'Pusher'",
    ),
    "an executor is missing": (
        lambda s: s["deploymentSpec"]["executors"].pop("exec-Pusher"),
        r"task Pusher: its component 'Pusher' has no executor 'exec-Pusher'",
    ),
    "a task waits for nothing": (
        lambda s: _task(s, "Pusher")["dependentTasks"].append("InfraValidator"),
        r"task Pusher: it waits for 'InfraValidator'",
    ),
    "a circle": (
        lambda s: _task(s, "Transform").update(dependentTasks=["RunReport"]),
        r"in a circle: .*Transform.*RunReport|in a circle: .*RunReport.*Transform",
    ),
    "the older schema": (
        lambda s: s.update(schemaVersion="2.0.0"),
        r"schemaVersion '2.0.0': the backend takes 2.1.0 only",
    ),
    "the older form of a value": (
        lambda s: _parameter(s, "Pusher", "push_destination").update(
            runtimeValue={"constantValue": {"stringValue": "x"}}
        ),
        r"task Pusher: input 'push_destination' has the form constantValue",
    ),
    "a resolver": (
        lambda s: s["deploymentSpec"]["executors"].update({"exec-Pusher": {"resolver": {}}}),
        r"executor exec-Pusher: it is a Resolver",
    ),
    "an importer": (
        lambda s: s["deploymentSpec"]["executors"].update({"exec-Pusher": {"importer": {}}}),
        r"executor exec-Pusher: it is an Importer",
    ),
    "a driver of its own": (
        lambda s: _container(s, "BehaviorExampleGen").update(
            lifecycle={"preCacheCheck": {"command": ["python"]}}
        ),
        r"executor exec-BehaviorExampleGen: it has a driver of its own",
    ),
    "a dynamic property": (
        lambda s: (
            _parameter(s, "Trainer-encoder", "custom_config").update(
                taskOutputParameter={"producerTask": "Transform", "outputParameterKey": "p"},
                runtimeValue=None,
            )
            or _parameter(s, "Trainer-encoder", "custom_config").pop("runtimeValue")
        ),
        r"task Trainer-encoder: input 'custom_config' is a dynamic property, computed by Transform",
    ),
    "a name that Argo refuses": (
        lambda s: s["root"]["dag"]["tasks"].update(
            {"Trainer.extra": s["root"]["dag"]["tasks"]["Trainer-continued"]}
        ),
        r"task Trainer\.extra: the name must be letters, digits and hyphens",
    ),
    "a folder as the artifacts' root": (
        lambda s: s.update(defaultPipelineRoot="/mnt/artifacts"),
        r"defaultPipelineRoot: '/mnt/artifacts'",
    ),
    "an executor that cannot be imported": (
        lambda s: _argument(
            s, "Pusher", "--executor_class_path", "tfx_pipeline.dag.pushing.Executr"
        ),
        r"task Pusher: its executor tfx_pipeline\.dag\.pushing\.Executr cannot be imported",
    ),
    "a class that is no executor": (
        lambda s: _argument(
            s, "Pusher", "--executor_class_path", "tfx_pipeline.dag.pushing.Pusher"
        ),
        r"task Pusher: tfx_pipeline\.dag\.pushing\.Pusher is no TFX executor",
    ),
    "a command that is no module": (
        lambda s: _container(s, "Pusher").update(command=["python", "-m", "tfx_pipeline.nothing"]),
        r"task Pusher: its command starts tfx_pipeline\.nothing, which is no module",
    ),
    "the executor's input is not passed on": (
        lambda s: _argument(s, "Pusher", "--json_serialized_invocation_args", "{}"),
        r"task Pusher: its arguments do not pass the executor's input on",
    ),
    "an input of another type": (
        lambda s: _artifact(s, "Trainer-cluster-0", "examples").update(
            producerTask="Transform", outputArtifactKey="transform_graph"
        ),
        r"task Trainer-cluster-0: input 'examples' must be tfx\.Examples, and Transform makes "
        r"tfx\.TransformGraph",
    ),
    "a type that cannot be imported": (
        lambda s: s["components"]["Pusher"]["outputDefinitions"]["artifacts"][
            "pushed_model"
        ].update(artifactType={"schemaTitle": "components.Pushed"}),
        r"task Pusher: 'pushed_model' is of the type components\.Pushed, which cannot be imported",
    ),
    "an input that is not given": (
        lambda s: _task(s, "Pusher")["inputs"]["artifacts"].pop("model"),
        r"task Pusher: input 'model' is not given",
    ),
    "an input that nobody knows": (
        lambda s: s["components"]["Pusher"]["inputDefinitions"]["artifacts"].pop("model"),
        r"task Pusher: its component knows no input 'model'",
    ),
    "a value of another type": (
        lambda s: _parameter(s, "BaselineModel", "top_k")["runtimeValue"].update(constant="20"),
        r"task BaselineModel: parameter 'top_k' must be NUMBER_INTEGER, and is '20'",
    ),
    "a run parameter that is not declared": (
        lambda s: s["root"]["inputDefinitions"]["parameters"].pop("events"),
        r"task BehaviorExampleGen: parameter 'input_files' asks for the run parameter 'events'",
    ),
    "a run parameter of another type": (
        lambda s: s["root"]["inputDefinitions"]["parameters"]["seed"].update(
            parameterType="STRING", defaultValue="1"
        ),
        r"task ClusterCombiner: parameter 'seed' must be NUMBER_INTEGER, and the run parameter",
    ),
    "a default of another type": (
        lambda s: s["root"]["inputDefinitions"]["parameters"]["seed"].update(defaultValue=1.5),
        r"run parameter 'seed': its default 1\.5 is not of its type",
    ),
    "a run parameter that is not used": (
        lambda s: s["root"]["inputDefinitions"]["parameters"].update(
            colour={"parameterType": "STRING"}
        ),
        r"run parameter 'colour' is declared, and no task reads it",
    ),
    "no memory": (
        lambda s: _container(s, "Pusher").update(resources={"memoryLimit": 0}),
        r"task Pusher: resource memoryLimit must be more than zero",
    ),
    "more asked for than allowed": (
        lambda s: _container(s, "Pusher").update(resources={"cpuRequest": 4, "cpuLimit": 2}),
        r"task Pusher: cpuRequest 4 is more than cpuLimit 2",
    ),
    "an accelerator without a count": (
        lambda s: _container(s, "Pusher").update(resources={"accelerator": {"type": "gpu"}}),
        r"task Pusher: its accelerator needs a type and a count",
    ),
    "no pipeline spec": (
        lambda s: s.update(tasks={}),
        r"no pipeline spec: .*tasks",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_found_and_named(what, compiled):
    spoil, message = FAULTS[what]
    spoil(compiled.spec)
    found = faults(compiled)
    assert any(re.search(message, fault) for fault in found), found


@pytest.mark.parametrize(
    "image", ["Shop/Cohortrec:1", "shop/cohortrec:", "https://shop/cohortrec", "", "a b:1", "-x"]
)
def test_an_image_name_that_is_none_is_found(image, compiled):
    _container(compiled.spec, "Pusher")["image"] = image
    assert any("task Pusher" in fault and "no image name" in fault for fault in faults(compiled))


@pytest.mark.parametrize(
    "image", ["cohortrec", "shop.example:5000/a/b-c__d:v1.2_3", f"ghcr.io/a/b@sha256:{'0' * 64}"]
)
def test_an_image_name_is_left_alone(image, compiled):
    _container(compiled.spec, "Pusher")["image"] = image
    assert faults(compiled) == []


def test_a_volume_for_a_task_that_does_not_exist_is_found(compiled):
    executors = compiled.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    executors["exec-Infra"] = {"pvcMount": [{"constant": "My Volume", "mountPath": "shop"}]}
    found = " ".join(faults(compiled))
    assert "no executor 'exec-Infra'" in found
    assert "'My Volume' is no name of a PersistentVolumeClaim" in found
    assert "absolute path, not at 'shop'" in found


def test_what_is_valid_and_perhaps_not_meant_is_said():
    lost, moving = warnings(KubeflowConfig())
    assert "set kubeflow.volume_claim" in lost
    assert "cohortrec:latest" in moving
    assert warnings(KubeflowConfig(image="shop/cohortrec:7", volume_claim="shop")) == []
    assert warnings(KubeflowConfig(image="r.example:5000/cohortrec", root="gs://b")) != []


def test_the_command_checks_what_it_compiles_and_files(compiled, tmp_path):
    file = tmp_path / "p.yaml"
    answer = cohortrec("compile", "--events", "gs://b/e.csv", "--output", file, "--check")
    assert (answer.code, "checked" in answer.out) == (0, True), answer
    assert cohortrec("compile", "--check", file).code == 0
    spec = yaml.safe_load(file.read_text())
    _artifact(spec, "Evaluator", "model")["producerTask"] = "Combiner"
    file.write_text(yaml.safe_dump(spec))
    answer = cohortrec("compile", "--check", file)
    assert answer.code == 2
    assert "task Evaluator: input 'model' comes from 'Combiner'" in answer.err
    file.write_text("a: 1\n")
    answer = cohortrec("compile", "--check", file)
    assert (answer.code, "no compiled pipeline" in answer.err) == (2, True), answer
    assert "--output" in cohortrec("compile", "--events", "gs://b/e.csv").err


def test_what_was_written_is_what_was_compiled(compiled, tmp_path):
    from tfx_pipeline.kubeflow.pipeline_file import PipelineFile

    compiled.write(tmp_path / "p.yaml")
    assert PipelineFile.read(tmp_path / "p.yaml") == compiled
    assert compiled.platform is not None
