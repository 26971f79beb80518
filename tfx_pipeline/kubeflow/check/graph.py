"""The graph of a compiled pipeline: every producer is there, and nothing waits for itself."""

from __future__ import annotations

import graphlib
from typing import Any


def graph_faults(spec: dict[str, Any]) -> list[str]:
    """Missing components, executors, producers and outputs, and cycles."""
    tasks = spec.get("root", {}).get("dag", {}).get("tasks", {})
    if not tasks:
        return ["the pipeline has no tasks"]
    components = spec.get("components", {})
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    found = []
    for name, task in tasks.items():
        of = task.get("componentRef", {}).get("name")
        if of not in components:
            found.append(f"task {name}: there is no component {of!r}")
        elif components[of].get("executorLabel") not in executors:
            label = components[of].get("executorLabel")
            found.append(f"task {name}: its component {of!r} has no executor {label!r}")
        for dependency in task.get("dependentTasks", []):
            if dependency not in tasks:
                found.append(f"task {name}: it waits for {dependency!r}, which does not exist")
        found += _producer_faults(name, task, tasks, components)
    return found + _cycles(tasks)


def upstream(task: dict[str, Any]) -> set[str]:
    """Names of the tasks that a task waits for or reads from."""
    inputs = task.get("inputs", {})
    return set(task.get("dependentTasks", [])) | {
        producer["producerTask"]
        for given, kind in (
            ("artifacts", "taskOutputArtifact"),
            ("parameters", "taskOutputParameter"),
        )
        for value in inputs.get(given, {}).values()
        if (producer := value.get(kind))
    }


def _producer_faults(
    name: str, task: dict[str, Any], tasks: dict[str, Any], components: dict[str, Any]
) -> list[str]:
    found = []
    for key, given in task.get("inputs", {}).get("artifacts", {}).items():
        producer = given.get("taskOutputArtifact")
        if producer is None:
            found.append(f"task {name}: input {key!r} comes from no task")
            continue
        source, output = producer.get("producerTask"), producer.get("outputArtifactKey")
        if source not in tasks:
            found.append(f"task {name}: input {key!r} comes from {source!r}, which does not exist")
            continue
        component = components.get(tasks[source].get("componentRef", {}).get("name"), {})
        if output not in component.get("outputDefinitions", {}).get("artifacts", {}):
            found.append(f"task {name}: input {key!r}: task {source} has no output {output!r}")
    return found


def _cycles(tasks: dict[str, Any]) -> list[str]:
    graph = {name: upstream(task) & set(tasks) for name, task in tasks.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        return [f"tasks wait for each other in a circle: {circle}"]
    return []
