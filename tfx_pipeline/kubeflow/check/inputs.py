"""Inputs of tasks: all there, and of the type that their consumer expects."""

from __future__ import annotations

from typing import Any

import yaml

_KINDS: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}


def input_faults(spec: dict[str, Any]) -> list[str]:
    """Inputs of a wrong type, missing or unknown, and run parameters that nothing reads."""
    root = spec.get("root", {})
    declared = root.get("inputDefinitions", {}).get("parameters", {})
    tasks = root.get("dag", {}).get("tasks", {})
    components = spec.get("components", {})
    found = []
    read = set()
    for name, task in tasks.items():
        component = components.get(task.get("componentRef", {}).get("name"), {})
        expected = component.get("inputDefinitions", {})
        given = task.get("inputs", {})
        found += _presence_faults(name, given, expected)
        for key, value in given.get("artifacts", {}).items():
            found += _artifact_faults(name, key, value, expected, tasks, components)
        for key, value in given.get("parameters", {}).items():
            if "componentInputParameter" in value:
                read.add(value["componentInputParameter"])
            wanted = expected.get("parameters", {}).get(key, {}).get("parameterType")
            if wanted is not None:
                found += _parameter_faults(name, key, value, wanted, declared)
    for name, parameter in declared.items():
        if name not in read:
            found.append(f"run parameter {name!r} is declared, and no task reads it")
        default = parameter.get("defaultValue")
        if default is not None and not _fits(default, parameter.get("parameterType", "")):
            found.append(f"run parameter {name!r}: its default {default!r} is not of its type")
    return found


def artifact_title(definition: dict[str, Any]) -> str | None:
    """The type of an artifact ("tfx.Examples", "components.ClusterModel"), None if it has none."""
    kind = definition.get("artifactType", {})
    if "schemaTitle" in kind:
        return str(kind["schemaTitle"])
    schema = yaml.safe_load(kind.get("instanceSchema", ""))
    return str(schema["title"]) if isinstance(schema, dict) and "title" in schema else None


def _presence_faults(name: str, given: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    found = []
    for kind, what in (("artifacts", "input"), ("parameters", "parameter")):
        there, wanted = given.get(kind, {}), expected.get(kind, {})
        for key in sorted(set(there) - set(wanted)):
            found.append(f"task {name}: its component knows no {what} {key!r}")
        for key in sorted(set(wanted) - set(there)):
            optional = wanted[key].get("isOptional") or "defaultValue" in wanted[key]
            if not optional:
                found.append(f"task {name}: {what} {key!r} is not given")
    return found


def _artifact_faults(
    name: str,
    key: str,
    value: dict[str, Any],
    expected: dict[str, Any],
    tasks: dict[str, Any],
    components: dict[str, Any],
) -> list[str]:
    producer = value.get("taskOutputArtifact", {})
    source = tasks.get(producer.get("producerTask"), {}).get("componentRef", {}).get("name")
    outputs = components.get(source, {}).get("outputDefinitions", {}).get("artifacts", {})
    made = outputs.get(producer.get("outputArtifactKey"))
    wanted = expected.get("artifacts", {}).get(key)
    # That one of them is missing is a fault of the graph.
    if made is None or wanted is None or artifact_title(made) == artifact_title(wanted):
        return []
    return [
        f"task {name}: input {key!r} must be {artifact_title(wanted)}, and "
        f"{producer['producerTask']} makes {artifact_title(made)}"
    ]


def _parameter_faults(
    name: str, key: str, value: dict[str, Any], wanted: str, declared: dict[str, Any]
) -> list[str]:
    if parameter := value.get("componentInputParameter"):
        if parameter not in declared:
            return [f"task {name}: parameter {key!r} asks for the run parameter {parameter!r}, "
                    "which is not declared"]  # fmt: skip
        kind = declared[parameter].get("parameterType")
        if kind != wanted:
            return [f"task {name}: parameter {key!r} must be {wanted}, and the run parameter "
                    f"{parameter!r} is {kind}"]  # fmt: skip
        return []
    constant = value.get("runtimeValue", {}).get("constant")
    if constant is not None and not _fits(constant, wanted):
        return [f"task {name}: parameter {key!r} must be {wanted}, and is {constant!r}"]
    return []


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "BOOLEAN":
        return False
    if isinstance(value, float) and kind == "NUMBER_INTEGER":
        return value.is_integer()
    return isinstance(value, _KINDS.get(kind, ()))
