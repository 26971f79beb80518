"""A compiled pipeline as the backend (here: its test double) takes it, or refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from google.protobuf.message import Message
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

SCHEMA_VERSION = "2.1.0"
# Known, and of no meaning without a cluster.
_PLATFORM_OPTIONS = {"pvcMount", "nodeSelector"}
_USED = {
    pb.PipelineTaskSpec: {
        "task_info",
        "inputs",
        "dependent_tasks",
        "component_ref",
        "trigger_policy",
        "caching_options",
        "retry_policy",
    },
    pb.ComponentSpec: {"input_definitions", "output_definitions", "executor_label"},
    pb.PipelineDeploymentConfig.ExecutorSpec: {"container"},
    pb.PipelineDeploymentConfig.PipelineContainerSpec: {
        "image",
        "command",
        "args",
        "env",
        "resources",
    },
}
# Argo, which runs the tasks, takes no other names for them.
_TASK_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?")


class Refused(ValueError):
    """The backend would refuse this, or its test double cannot do it."""


class Specification:
    """A pipeline that can be run.

    Attributes:
        name: of the pipeline.
        root: component with the run parameters.
        tasks: task name to its spec.
        components: component name to its spec.
        containers: executor label to the container.
        pipeline_root: where artifacts go; "" for the backend's default.
    """

    def __init__(self, path: Path) -> None:
        spec, platform = _documents(path)
        parsed = pb.PipelineSpec()
        deployment = pb.PipelineDeploymentConfig()
        try:
            json_format.ParseDict(spec, parsed)
            json_format.ParseDict(spec.get("deploymentSpec", {}), deployment)
        except json_format.ParseError as error:
            raise Refused(f"invalid pipeline spec: {error}") from None
        if parsed.schema_version != SCHEMA_VERSION:
            raise Refused(
                f"only schema version {SCHEMA_VERSION} is supported, not {parsed.schema_version}"
            )
        self.name = parsed.pipeline_info.name
        self.root = parsed.root
        self.tasks = dict(parsed.root.dag.tasks)
        self.components = dict(parsed.components)
        self.pipeline_root = parsed.default_pipeline_root
        if parsed.root.dag.HasField("outputs"):
            raise Refused("outputs of the DAG are not supported")
        self.containers = {}
        for label, executor in deployment.executors.items():
            _only(executor, f"executor {label}")
            _only(executor.container, f"container {label}")
            self.containers[label] = executor.container
        for name, component in self.components.items():
            _only(component, f"component {name}")
        for name, task in self.tasks.items():
            self._check_task(name, task)
        _check_platform(platform)

    def component(self, task: str) -> pb.ComponentSpec:
        """The component of a task."""
        return self.components[self.tasks[task].component_ref.name]

    def container(self, task: str) -> pb.PipelineDeploymentConfig.PipelineContainerSpec:
        """The container of a task."""
        return self.containers[self.component(task).executor_label]

    def upstream(self, task: str) -> set[str]:
        """Tasks that must have succeeded before a task starts."""
        spec = self.tasks[task]
        producers = {
            given.task_output_artifact.producer_task for given in spec.inputs.artifacts.values()
        } | {
            given.task_output_parameter.producer_task
            for given in spec.inputs.parameters.values()
            if given.WhichOneof("kind") == "task_output_parameter"
        }
        missing = producers - set(spec.dependent_tasks)
        if missing:
            # The backend orders tasks by dependentTasks alone.
            raise Refused(f"task {task} reads from {sorted(missing)} without depending on them")
        return set(spec.dependent_tasks)

    def _check_task(self, name: str, task: pb.PipelineTaskSpec) -> None:
        _only(task, f"task {name}")
        if not _TASK_NAME.fullmatch(name):
            raise Refused(f"task {name!r}: a name may hold letters, digits and hyphens")
        if task.component_ref.name not in self.components:
            raise Refused(f"task {name}: no component {task.component_ref.name!r}")
        if self.component(name).executor_label not in self.containers:
            raise Refused(f"task {name}: no executor {self.component(name).executor_label!r}")
        if task.trigger_policy.strategy not in (0, 1):  # unspecified, all upstream succeeded
            raise Refused(f"task {name}: trigger strategy {task.trigger_policy.strategy}")
        for artifact, given in task.inputs.artifacts.items():
            if given.WhichOneof("kind") != "task_output_artifact":
                raise Refused(f"task {name}: input {artifact} is no output of a task")
        unknown = self.upstream(name) - set(self.tasks)
        if unknown:
            raise Refused(f"task {name} depends on unknown {sorted(unknown)}")


def _documents(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline spec and the platform spec, {} without one."""
    documents = [document for document in yaml.safe_load_all(path.read_text()) if document]
    specs = [document for document in documents if "pipelineInfo" in document]
    platforms = [document for document in documents if "platforms" in document]
    if len(specs) != 1 or len(platforms) > 1 or len(specs) + len(platforms) != len(documents):
        raise Refused(f"{path} must hold one pipeline spec and at most one platform spec")
    return specs[0], platforms[0] if platforms else {}


def _check_platform(platform: dict[str, Any]) -> None:
    for name, spec in platform.get("platforms", {}).items():
        if name != "kubernetes" or set(spec) != {"deploymentSpec"}:
            raise Refused(f"platform {name}: {sorted(spec)}")
        for label, options in spec["deploymentSpec"]["executors"].items():
            _none_other(options, _PLATFORM_OPTIONS, f"platform options of {label}")


def _only(message: Message, what: str) -> None:
    """Refuses a message with fields that this double does not look at."""
    given = {field.name for field, _ in message.ListFields()}
    _none_other(given, _USED[type(message)], what)


def _none_other(given: Iterable[str], known: set[str], what: str) -> None:
    unknown = set(given) - known
    if unknown:
        raise Refused(f"{what}: {sorted(unknown)} not supported")
