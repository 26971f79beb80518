"""A task's inputs as the (doubled) driver resolves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

from tests.tfx_pipeline.kubeflow.backend.artifacts import Records
from tests.tfx_pipeline.kubeflow.backend.specification import Refused, Specification

_KINDS = {
    pb.ParameterType.NUMBER_DOUBLE: "number_value",
    pb.ParameterType.NUMBER_INTEGER: "number_value",
    pb.ParameterType.STRING: "string_value",
    pb.ParameterType.BOOLEAN: "bool_value",
    pb.ParameterType.LIST: "list_value",
    pb.ParameterType.STRUCT: "struct_value",
}
Values = dict[str, struct_pb2.Value]


def run_values(root: pb.ComponentSpec, given: Mapping[str, Any]) -> Values:
    """The run parameters: what whoever starts the run gives, else the defaults."""
    declared = root.input_definitions.parameters
    if root.input_definitions.artifacts:
        raise Refused("input artifacts of a run are not supported")
    unknown = set(given) - set(declared)
    if unknown:
        raise Refused(f"the pipeline has no run parameters {sorted(unknown)}")
    values = {}
    for name, parameter in declared.items():
        if name in given:
            value = json_format.ParseDict(given[name], struct_pb2.Value())
            _check_kind(name, value, parameter.parameter_type)
        elif parameter.HasField("default_value"):
            value = parameter.default_value
        elif parameter.is_optional:
            continue
        else:
            raise Refused(f"run parameter {name} has neither a value nor a default")
        values[name] = value
    return values


def resolve(
    spec: Specification,
    task: str,
    run: Values,
    records: Records,
    outputs: Mapping[tuple[str, str], struct_pb2.Value],
) -> pb.ExecutorInput.Inputs:
    """All inputs of a task.

    Args:
        spec: the pipeline.
        task: its name.
        run: the run parameters.
        records: artifacts of the tasks before.
        outputs: output parameters of the tasks before, by task and name.
    """
    given = spec.tasks[task].inputs
    declared = spec.component(task).input_definitions
    for what, names, known in (
        ("parameters", given.parameters, declared.parameters),
        ("artifacts", given.artifacts, declared.artifacts),
    ):
        if unknown := set(names) - set(known):
            raise Refused(f"task {task} is given {what} {sorted(unknown)} that it does not declare")
    inputs = pb.ExecutorInput.Inputs()
    for name, source in given.parameters.items():
        value = _value(f"task {task}, parameter {name}", source, run, outputs)
        if value is not None:
            inputs.parameter_values[name].CopyFrom(value)
    for name, parameter in declared.parameters.items():
        if name in inputs.parameter_values:
            value = _converted(f"{task}.{name}", inputs.parameter_values[name], parameter)
            inputs.parameter_values[name].CopyFrom(value)
        elif not parameter.is_optional:
            raise Refused(f"task {task}: parameter {name} has no value")
    for name, declaration in declared.artifacts.items():
        if name in given.artifacts:
            source = given.artifacts[name].task_output_artifact
            artifact = records.as_input(source.producer_task, source.output_artifact_key)
            inputs.artifacts[name].artifacts.append(artifact)
        elif not declaration.is_optional:
            raise Refused(f"task {task}: artifact {name} has no source")
    return inputs


def _value(
    what: str,
    source: pb.TaskInputsSpec.InputParameterSpec,
    run: Values,
    outputs: Mapping[tuple[str, str], struct_pb2.Value],
) -> struct_pb2.Value | None:
    """The value of a parameter; None for an optional run parameter that nobody gave."""
    if source.parameter_expression_selector:
        raise Refused(f"{what}: expression selectors are not supported")
    kind = source.WhichOneof("kind")
    if kind == "component_input_parameter":
        return run.get(source.component_input_parameter)
    if kind == "task_output_parameter":
        wanted = source.task_output_parameter
        key = (wanted.producer_task, wanted.output_parameter_key)
        if key not in outputs:
            raise Refused(f"{what}: task {key[0]} has no output parameter {key[1]}")
        return outputs[key]
    if kind == "runtime_value" and source.runtime_value.WhichOneof("value") == "constant":
        constant = source.runtime_value.constant
        if "{{$" in constant.string_value:
            raise Refused(f"{what}: placeholders in constants are not supported")
        return constant
    raise Refused(f"{what}: values of kind {kind} are not implemented in the backend")


def _converted(
    what: str, value: struct_pb2.Value, declared: pb.ComponentInputsSpec.ParameterSpec
) -> struct_pb2.Value:
    """The value as its declaration says; the backend turns anything into text where text is due."""
    kind = value.WhichOneof("kind")
    if declared.parameter_type == pb.ParameterType.STRING and kind != "string_value":
        text = f"{value.number_value:.17g}" if kind == "number_value" else None
        if text is None:
            text = json_format.MessageToJson(value, indent=None)
        return struct_pb2.Value(string_value=text)
    _check_kind(what, value, declared.parameter_type)
    return value


def _check_kind(what: str, value: struct_pb2.Value, parameter_type: int) -> None:
    kind = value.WhichOneof("kind")
    if _KINDS.get(parameter_type) != kind:
        raise Refused(
            f"{what}: got a {kind} for {pb.ParameterType.ParameterTypeEnum.Name(parameter_type)}"
        )
