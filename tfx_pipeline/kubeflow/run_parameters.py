"""Run parameters: what whoever starts a run may change, and the tasks that each one reaches.

Every parameter is wired to exactly the tasks that depend on it, so that the backend's cache, whose
key holds a task's parameters, runs these again and no others.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from components.sequence_clusterer.config import LAST
from tfx_pipeline.dag import nodes
from tfx_pipeline.kubeflow.json_addresses import leaves
from tfx_pipeline.settings.run_config import RunConfig
from trainer.nearest import nearest
from trainer.settings import ConfigError, Settings

SEED = "run.seed"
START_FROM = "start_from"

# Which section lies at an address whose last part is not the section's name.
_SECTION_AT = {
    (nodes.INGESTION, "config"): "data",
    (nodes.INGESTION, "evaluation"): "evaluation",
    (nodes.CONTENT_ENCODER, "config"): "content",
    (nodes.CLUSTERER, "config"): "clustering",
    (nodes.COMBINER, "config"): "combiner",
    (nodes.COMBINER, "evaluation"): "evaluation",
    (nodes.COMBINER, "behavior_head"): "behavior_head",
    (nodes.TRANSFORM, "custom_config.config"): "features",
    (nodes.EVALUATOR, "gates"): "gates",
    (nodes.REPORT, "gates_config"): "gates",
}
_COMPILED_IN = {
    "run.events": "it is the run parameter `events` already",
    "run.items": "it is the run parameter `items` already",
    "data.target_actions": "the ingestion and the encoder's Trainer must agree on it",
    "behavior_head.actions": "it decides which artifacts there are",
    "clustering.start_from": "with the value `last` it is the run parameter `start_from` already",
    "clustering.labels": "the file decides whether the clusterer is cached",
    "combiner.controls": "it decides which nodes there are",
    "tuning.enabled": "it decides which nodes there are",
    "gates.against": "BaselineModel and the gates must agree on it",
    "run": "it shapes the pipeline as a whole",
    "serving": "several nodes must agree on it",
    "beam": "it is in the arguments of the containers",
    "kubeflow": "it is in the compiled file itself",
}


@dataclass(frozen=True)
class RunParameter:
    """One parameter of a compiled pipeline's runs.

    Attributes:
        name: as whoever starts a run gives it.
        type: STRING, NUMBER_INTEGER, NUMBER_DOUBLE or BOOLEAN.
        default: value of runs that do not give it.
        description: what it is.
        wires: task (by node) to the names that the value has among the task's own parameters: an
            execution property, or the address of a value in one (`json_addresses`).
    """

    name: str
    type: str
    default: str | int | float | bool
    description: str
    wires: Mapping[str, Sequence[str]]


def run_parameters(
    config: RunConfig, properties: Mapping[str, Mapping[str, Any]]
) -> list[RunParameter]:
    """The parameters of a pipeline's runs.

    Args:
        config: all settings; `kubeflow.parameters` names those that may change.
        properties: node to its execution properties.

    Raises:
        ConfigError: a named setting is unknown, or can only be compiled in.
    """
    found = [
        RunParameter(
            what,
            "STRING",
            paths_text(getattr(config.run, what)),
            f"{what} files: a path, or a JSON list of paths; package:NAME/path for files in the "
            "image, gs:// for a bucket",
            {nodes.INGESTION: [given], nodes.REPORT: [f"provenance.settings.run.{what}"]},
        )
        for what, given in (("events", "input_files"), ("items", "items_files"))
    ]
    if config.clustering.start_from == LAST:
        found.append(
            RunParameter(
                START_FROM,
                "STRING",
                "",
                "folder of the `clusters` to go on from; empty for a fresh start",
                {nodes.CLUSTERER: ["start_from"]},
            )
        )
    for setting in config.kubeflow.parameters:
        found.append(_of_setting(setting, config, properties))
    return found


def paths_text(paths: Sequence[str]) -> str:
    """Paths as a run parameter holds them: one as it stands, several as a JSON list."""
    return "".join(paths) if len(paths) < 2 else json.dumps(list(paths))


def _of_setting(
    setting: str, config: RunConfig, properties: Mapping[str, Mapping[str, Any]]
) -> RunParameter:
    section, key, annotation = _look_up(setting)
    value = getattr(getattr(config, section), key)
    if isinstance(value, (list, tuple, dict, Settings)):
        raise ConfigError(f"kubeflow.parameters: {setting!r} is not a single value")
    kind = _kind(annotation)
    text = isinstance(value, str) or kind != "STRING"
    wires = {node: _addresses(node, of, section, key, value) for node, of in properties.items()}
    wires = {node: addresses for node, addresses in wires.items() if addresses}
    if not set(wires) - {nodes.REPORT}:
        raise ConfigError(f"kubeflow.parameters: no node of this pipeline reads {setting!r}")
    return RunParameter(
        "seed" if setting == SEED else f"{section}_{key}",
        kind,
        value if text else yaml.safe_dump(value).split("\n", 1)[0],
        f"setting {setting}",
        wires,
    )


def _look_up(setting: str) -> tuple[str, str, Any]:
    """Section, key and type of a setting that may be a run parameter."""
    section, _, key = setting.partition(".")
    fields = {
        f"{name}.{field}": description.annotation
        for name, info in RunConfig.model_fields.items()
        for field, description in typing.cast(Any, info.annotation).model_fields.items()
    }
    if setting not in fields:
        near = nearest(setting, fields)
        meant = f"; did you mean {near!r}?" if near else ""
        raise ConfigError(f"kubeflow.parameters: unknown setting {setting!r}{meant}")
    reason = _COMPILED_IN.get(setting) or (None if setting == SEED else _COMPILED_IN.get(section))
    if reason:
        raise ConfigError(
            f"kubeflow.parameters: {setting!r} cannot change between runs of a compiled pipeline: "
            f"{reason}"
        )
    return section, key, fields[setting]


def _kind(annotation: Any) -> str:
    """The type of a parameter; STRING, read as with `--set`, where a setting has several."""
    plain = {int: "NUMBER_INTEGER", float: "NUMBER_DOUBLE", bool: "BOOLEAN"}
    if typing.get_origin(annotation) in (types.UnionType, typing.Union, Literal):
        return "STRING"
    return plain.get(annotation, "STRING")


def _addresses(
    node: str, properties: Mapping[str, Any], section: str, key: str, value: Any
) -> list[str]:
    """Where a node's execution properties hold a setting."""
    found = []
    for address, held in leaves(properties):
        head, _, last = address.rpartition(".")
        if last != key:
            continue
        is_section = _SECTION_AT.get((node, head)) == section or head.endswith(f".{section}")
        # The one seed is handed to every section and node that has none of its own.
        is_the_seed = section == "run" and held == value
        if is_section or is_the_seed:
            found.append(address)
    return sorted(found)
