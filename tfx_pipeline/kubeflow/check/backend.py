"""What open-source Kubeflow Pipelines refuses, though the pipeline spec can say it.

As the backend's sources have it: `backend/src/apiserver/template/v2_template.go` (schema and name),
`backend/src/v2/compiler/argocompiler` (kinds of executors; task names become those of Argo), and
`backend/src/v2/driver` (forms of parameters).
"""

from __future__ import annotations

import re
from typing import Any

from tfx_pipeline.paths import storage

SCHEMA_VERSION = "2.1.0"
_PIPELINE_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_TASK_NAME = re.compile(r"^[A-Za-z0-9][-A-Za-z0-9]{0,120}$")
_EXECUTOR_KINDS = {
    "resolver": "a Resolver, which the backend has not implemented; BaselineModel takes its place",
    "customJob": "a Vertex AI job",
    "importer": "an Importer; it takes no condition and no retries here, and the checks do not "
    "know what it imports: read the artifact in a component instead",
}


def backend_faults(spec: dict[str, Any]) -> list[str]:
    """What the backend refuses when the pipeline is uploaded, or fails on when it runs."""
    found = []
    if (version := spec.get("schemaVersion")) != SCHEMA_VERSION:
        found.append(f"schemaVersion {version!r}: the backend takes {SCHEMA_VERSION} only")
    name = spec.get("pipelineInfo", {}).get("name", "")
    if not _PIPELINE_NAME.match(name):
        found.append(f"pipeline name {name!r}: use a-z, 0-9 and hyphens")
    if root := spec.get("defaultPipelineRoot"):
        try:
            storage.check_pipeline_root(root)
        except ValueError as error:
            found.append(f"defaultPipelineRoot: {error}")
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    for label, executor in executors.items():
        found += _executor_faults(label, executor)
    for task_name, task in spec.get("root", {}).get("dag", {}).get("tasks", {}).items():
        found += _task_faults(task_name, task)
    return found


def _executor_faults(label: str, executor: dict[str, Any]) -> list[str]:
    found = [
        f"executor {label}: it is {what}"
        for kind, what in _EXECUTOR_KINDS.items()
        if kind in executor
    ]
    if "lifecycle" in executor.get("container", {}):
        found.append(
            f"executor {label}: it has a driver of its own (lifecycle), as TFX's file-based "
            "ExampleGens do, and the backend would not start it"
        )
    return found


def _task_faults(name: str, task: dict[str, Any]) -> list[str]:
    found = []
    if not _TASK_NAME.match(name):
        found.append(f"task {name}: the name must be letters, digits and hyphens, as Argo's are")
    if (shown := task.get("taskInfo", {}).get("name")) != name:
        found.append(f"task {name}: taskInfo.name is {shown!r}; the backend looks tasks up by it")
    if "parameterIterator" in task or "artifactIterator" in task:
        found.append(f"task {name}: it is a loop, which TFX's executors cannot run in")
    for key, given in task.get("inputs", {}).get("parameters", {}).items():
        if "taskOutputParameter" in given:
            found.append(
                f"task {name}: input {key!r} is a dynamic property, computed by "
                f"{given['taskOutputParameter'].get('producerTask')}: TFX's executors do not write "
                "the file that the backend reads it from"
            )
        value = given.get("runtimeValue")
        if value is not None and "constant" not in value:
            form = next(iter(value), "nothing")
            found.append(
                f"task {name}: input {key!r} has the form {form}; the backend reads constant only"
            )
    return found
