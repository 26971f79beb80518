"""Executors of a compiled pipeline: image, command, executor class, resources, artifact types."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.dsl.components.base import base_executor
from tfx.orchestration.kubeflow.v2 import compiler_utils
from tfx.types import artifact
from tfx.utils import import_utils

from tfx_pipeline.kubeflow.check.inputs import artifact_title
from tfx_pipeline.kubeflow.run_executor import EXECUTOR_INPUT

EXECUTOR_CLASS = "--executor_class_path"
INPUTS_SPEC = "--json_serialized_inputs_spec_args"
# The grammar of the distribution project: [host[:port]/]path[:tag][@digest].
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?/)?"
_IMAGE = re.compile(
    rf"^{_HOST}{_PART}(?:/{_PART})*(?::[\w][\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?$", re.ASCII
)
_RESOURCES = ("cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit")


def executor_faults(spec: dict[str, Any]) -> list[str]:
    """What would keep a task's container from starting its executor."""
    found = []
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    for task, of in _component_of_tasks(spec).items():
        container = executors.get(of.get("executorLabel"), {}).get("container")
        if container is not None:
            found += _container_faults(task, container)
            found += _resource_faults(task, container.get("resources", {}))
        for kind in ("inputDefinitions", "outputDefinitions"):
            for key, definition in of.get(kind, {}).get("artifacts", {}).items():
                found += _type_faults(task, key, definition)
    return found


def _component_of_tasks(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    components = spec.get("components", {})
    return {
        name: components.get(task.get("componentRef", {}).get("name"), {})
        for name, task in spec.get("root", {}).get("dag", {}).get("tasks", {}).items()
    }


def _container_faults(task: str, container: dict[str, Any]) -> list[str]:
    found = []
    image = container.get("image", "")
    if not _IMAGE.match(image):
        found.append(
            f"task {task}: {image!r} is no image name; write it as registry.example/path/name:tag "
            "(lower case)"
        )
    command, arguments = container.get("command", []), container.get("args", [])
    if "-m" not in command[:-1]:
        found.append(f"task {task}: its command {command} does not start a Python module")
    else:
        module = command[command.index("-m") + 1]
        if not _is_module(module):
            found.append(f"task {task}: its command starts {module}, which is no module")
    if _argument(arguments, EXECUTOR_INPUT) != "{{$}}":
        found.append(f"task {task}: its arguments do not pass the executor's input on ({{{{$}}}})")
    found += _class_faults(task, _argument(arguments, EXECUTOR_CLASS))
    try:
        described = json.loads(_argument(arguments, INPUTS_SPEC) or "")
        json_format.ParseDict(described, pipeline_spec_pb2.ComponentInputsSpec())
    except (ValueError, json_format.ParseError):
        found.append(f"task {task}: its argument {INPUTS_SPEC} is missing or unreadable")
    return found


def _class_faults(task: str, path: str | None) -> list[str]:
    if path is None:
        return [f"task {task}: its arguments name no executor class"]
    try:
        executor = import_utils.import_class_by_path(path)
    # Importing runs foreign code; whatever it raises, the task could not start.
    except Exception as error:
        return [f"task {task}: its executor {path} cannot be imported: {error}"]
    if not (inspect.isclass(executor) and issubclass(executor, base_executor.BaseExecutor)):
        return [f"task {task}: {path} is no TFX executor"]
    return []


def _resource_faults(task: str, resources: dict[str, Any]) -> list[str]:
    found = []
    for name in _RESOURCES:
        value = resources.get(name)
        if value is not None and not (isinstance(value, (int, float)) and value > 0):
            found.append(f"task {task}: resource {name} must be more than zero, not {value!r}")
    for what in ("cpu", "memory"):
        request, limit = resources.get(f"{what}Request", 0), resources.get(f"{what}Limit", 0)
        if limit and request > limit:
            found.append(f"task {task}: {what}Request {request} is more than {what}Limit {limit}")
    accelerator = resources.get("accelerator")
    if accelerator is not None and not (
        accelerator.get("type") and str(accelerator.get("count", "")).isdecimal()
    ):
        found.append(f"task {task}: its accelerator needs a type and a count, not {accelerator}")
    return found


def _type_faults(task: str, key: str, definition: dict[str, Any]) -> list[str]:
    title = artifact_title(definition)
    if title is None:
        return [f"task {task}: {key!r} has no artifact type"]
    path = compiler_utils.TITLE_TO_CLASS_PATH.get(title, title)
    try:
        found = import_utils.import_class_by_path(path)
    except Exception as error:
        return [f"task {task}: {key!r} is of the type {title}, which cannot be imported: {error}"]
    if not issubclass(found, artifact.Artifact):
        return [f"task {task}: {key!r} is of the type {title}, which is no artifact"]
    return []


def _argument(arguments: list[str], name: str) -> str | None:
    if name not in arguments[:-1]:
        return None
    return arguments[arguments.index(name) + 1]


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
