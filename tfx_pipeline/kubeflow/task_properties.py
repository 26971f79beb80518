"""Execution properties of a task: what was compiled in, with what the run says otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from tfx_pipeline.kubeflow.json_addresses import with_value
from tfx_pipeline.paths import storage
from tfx_pipeline.paths.inputs import InputError, labels_file, resolve_files

GATES = "gates"
EVAL_CONFIG = "eval_config"


def execution_properties(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The execution properties that TFX's executor gets.

    Args:
        parameters: of the task, as Kubeflow Pipelines resolved them. A name with a dot is the
            address of a value inside a property (`json_addresses`); text there is read as YAML, as
            with `--set`.

    Raises:
        InputError: an input file cannot be read here, or is not there.
        ConfigError: the thresholds of the gates are out of range.
    """
    properties = {name: value for name, value in parameters.items() if "." not in name}
    for address, value in sorted(parameters.items()):
        if "." in address:
            properties = with_value(properties, address, _plain(value))
    for name, what in (("input_files", "events"), ("items_files", "items")):
        if name in properties:
            properties[name] = json.dumps(_files(properties[name], what))
    for name, what in (("labels_file", "clustering.labels"), ("start_from", "start_from")):
        if properties.get(name):
            _check(properties[name], what)
    if properties.get("labels_file"):
        properties["labels_file"] = labels_file(properties["labels_file"])
    if GATES in properties:
        properties[EVAL_CONFIG] = _eval_config(properties.pop(GATES))
    return properties


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        # Text that is no YAML, such as a glob with a leading star, is meant as it stands.
        return value


def _files(text: str, what: str) -> list[str]:
    """The files of a run parameter: one path, or a JSON list of paths."""
    if not text:
        return []
    try:
        paths = json.loads(text) if text.startswith("[") else [text]
    except ValueError as error:
        raise InputError(f"{what}: {text!r} is neither a path nor a JSON list: {error}") from None
    for path in paths:
        _check(path, what)
    return resolve_files(paths, what)


def _check(path: str, what: str) -> None:
    try:
        storage.check_input(path, what)
    except ValueError as error:
        raise InputError(str(error)) from None


def _eval_config(gates: str) -> str:
    """The Evaluator's configuration, built in the task because thresholds may be parameters."""
    from tfx.utils import proto_utils

    from components.gates.config import GatesConfig
    from components.gates.eval_config import build_eval_config

    return str(proto_utils.proto_to_json(build_eval_config(GatesConfig.from_json(gates))))
