"""Compiles the pipeline for open-source Kubeflow Pipelines v2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from components.sequence_clusterer.config import LAST, NOTHING
from tfx_pipeline.dag import nodes
from tfx_pipeline.dag.pipeline import create_pipeline
from tfx_pipeline.kubeflow.node_names import task_name
from tfx_pipeline.kubeflow.pipeline_file import PipelineFile
from tfx_pipeline.kubeflow.run_parameters import RunParameter, run_parameters
from tfx_pipeline.kubeflow.task_options import apply_options
from tfx_pipeline.kubeflow.task_properties import EVAL_CONFIG, GATES
from tfx_pipeline.paths import storage
from tfx_pipeline.paths.inputs import InputError, is_remote
from tfx_pipeline.paths.locations import Locations
from tfx_pipeline.settings.run_config import RunConfig

COMMAND = ("python", "-m", "tfx_pipeline.kubeflow.run_executor")
UNKNOWN = "unknown"
"""Fingerprint of files that only the tasks see."""


def compile_pipeline(config: RunConfig, output: Path) -> list[str]:
    """Writes the pipeline as Kubeflow Pipelines v2 YAML.

    Args:
        config: all settings; `kubeflow` says where the cluster keeps image and data.
        output: the YAML file; its folder is made when missing.

    Returns:
        The names of the tasks in the file.

    Raises:
        InputError: no events are given, an input is out of the tasks' reach, or the file name is
            no YAML.
        ConfigError: a setting names an unknown node or parameter.
    """
    if output.suffix not in (".yaml", ".yml"):
        raise InputError(f"--output {str(output)!r}: the name must end in .yaml")
    compiled = build(config)
    compiled.write(output)
    return sorted(compiled.spec["root"]["dag"]["tasks"])


def build(config: RunConfig) -> PipelineFile:
    """The compiled pipeline.

    Raises:
        InputError, ConfigError: see `compile_pipeline`.
    """
    _check_inputs(config)
    _check_beam_workers(config)
    start_from = config.clustering.start_from
    labels = config.clustering.labels or ""
    pipeline = create_pipeline(
        config,
        _locations(config.kubeflow.root),
        events=config.run.events,
        items=config.run.items,
        # Only the tasks see the files that a run reads, so that nothing is claimed about them.
        input_fingerprint=UNKNOWN,
        nonce="kubeflow",
        labels=labels,
        labels_fingerprint=UNKNOWN if labels else "",
        start_from="" if start_from in (LAST, NOTHING) else start_from,
    )
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            default_image=config.kubeflow.image,
            default_commands=list(COMMAND),
            # The open-source backend refuses the older schema.
            use_pipeline_spec_2_1=True,
        )
    )
    spec: dict[str, Any] = runner.run(pipeline, write_out=False)["pipelineSpec"]
    if config.kubeflow.pipeline_root:
        spec["defaultPipelineRoot"] = config.kubeflow.pipeline_root
    tasks = spec["root"]["dag"]["tasks"]
    names = list(tasks)
    _give_gates(tasks[nodes.EVALUATOR], spec["components"][nodes.EVALUATOR], config)
    properties = {node: _constants(task) for node, task in tasks.items()}
    for parameter in run_parameters(config, properties):
        _wire(spec, parameter)
    _rename(spec, {node: task_name(node) for node in names})
    reads_files = {nodes.INGESTION, *([nodes.CLUSTERER] if labels else [])}
    return PipelineFile(spec, apply_options(spec, config.kubeflow, names, reads_files))


def _check_inputs(config: RunConfig) -> None:
    """What a task is to read must lie where a task can."""
    if not config.run.events:
        raise InputError("no event files given; name them with --events, as the cluster sees them")
    start_from = config.clustering.start_from
    given: dict[str, Sequence[str]] = {
        "--events": config.run.events,
        "--items": config.run.items,
        "clustering.labels": [config.clustering.labels] if config.clustering.labels else [],
        "clustering.start_from": [] if start_from in (LAST, NOTHING) else [start_from],
    }
    for what, paths in given.items():
        for path in paths:
            try:
                storage.check_input(path, what)
            except ValueError as error:
                raise InputError(str(error)) from None


def _check_beam_workers(config: RunConfig) -> None:
    """Workers of a Beam cluster read and write artifacts and events themselves."""
    root = config.kubeflow.pipeline_root or ""
    if config.beam.distributed and not root.startswith("gs://"):
        raise InputError(
            f"kubeflow.pipeline_root: workers of {config.beam.runner} run outside of the pods "
            f"and open artifacts at gs:// only; give a gs:// folder, not {root or 'the default'!r}"
        )
    for path in (*config.run.events, *config.run.items):
        config.beam.check_reach(path, "--events or --items")


def _locations(root: str) -> Locations:
    """Where tasks write. Keras and our own checkpoints need a folder: without one, the pod's."""
    below = Locations.below(root)
    if not is_remote(root):
        return below
    return Locations(below.artifacts, below.serving, "/tmp/cohortrec/checkpoints", below.content)


def _give_gates(task: dict[str, Any], component: dict[str, Any], config: RunConfig) -> None:
    """Hands the Evaluator the gates' settings, from which its task builds the configuration."""
    for parameters in (task["inputs"]["parameters"], component["inputDefinitions"]["parameters"]):
        del parameters[EVAL_CONFIG]
    component["inputDefinitions"]["parameters"][GATES] = {"parameterType": "STRING"}
    task["inputs"]["parameters"][GATES] = {
        "runtimeValue": {"constant": config.gates.to_json()},
    }


def _constants(task: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value["runtimeValue"]["constant"]
        for name, value in task.get("inputs", {}).get("parameters", {}).items()
    }


def _wire(spec: dict[str, Any], parameter: RunParameter) -> None:
    """Declares a run parameter, and leads it to the tasks that read it."""
    declared = {
        "parameterType": parameter.type,
        "defaultValue": parameter.default,
        "isOptional": True,
        "description": parameter.description,
    }
    inputs = spec["root"].setdefault("inputDefinitions", {}).setdefault("parameters", {})
    inputs[parameter.name] = declared
    for node, names in parameter.wires.items():
        task = spec["root"]["dag"]["tasks"][node]
        definitions = spec["components"][node]["inputDefinitions"]["parameters"]
        for name in names:
            definitions[name] = {"parameterType": parameter.type}
            task["inputs"]["parameters"][name] = {"componentInputParameter": parameter.name}


def _rename(spec: dict[str, Any], names: dict[str, str]) -> None:
    """Gives tasks and components names that the backend takes, wherever they are referred to."""
    tasks = spec["root"]["dag"]["tasks"]
    for task in tasks.values():
        task["taskInfo"]["name"] = names[task["taskInfo"]["name"]]
        task["componentRef"]["name"] = names[task["componentRef"]["name"]]
        task["dependentTasks"] = [names[name] for name in task.get("dependentTasks", [])]
        if not task["dependentTasks"]:
            del task["dependentTasks"]
        for given in task.get("inputs", {}).get("artifacts", {}).values():
            producer = given["taskOutputArtifact"]
            producer["producerTask"] = names[producer["producerTask"]]
    spec["root"]["dag"]["tasks"] = {names[node]: task for node, task in tasks.items()}
    executors = {}
    for node, component in spec["components"].items():
        executors[f"exec-{names[node]}"] = spec["deploymentSpec"]["executors"][
            component["executorLabel"]
        ]
        component["executorLabel"] = f"exec-{names[node]}"
    spec["components"] = {names[node]: of for node, of in spec["components"].items()}
    spec["deploymentSpec"]["executors"] = executors
