"""TFX's Pusher, which brings a model in whole, once, and with its labels.

TFX copies a model file by file to the place where servers look, and numbers it by the time of the
push, so that every run whose gates pass would put another copy of the same model beside the first.
Here TFX copies out of servers' sight, and the copy appears by a rename. Object stores have no such
rename: there TFX's own order stands, `saved_model.pb` last, without labels.

A push is a compare-and-swap. What BaselineModel found served must be served still, or a model would
be replaced that this one was never compared with. An object store has no lock to ask under: there
the question comes right before the copy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from absl import logging
from google.protobuf import json_format
from tfx.components.pusher import executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import (
    BaseChannel,
    artifact_utils,
    component_spec,
    standard_artifacts,
    standard_component_specs,
)
from tfx.types.channel import Channel
from tfx.utils import io_utils, json_utils, proto_utils

from components.baseline_model.record import BaselineRecord
from components.baseline_model.served_version import overtaken_by
from components.gates.push_record import PushRecord
from tfx_pipeline.deployment.rollout import admit, find_candidate
from tfx_pipeline.deployment.version_folder import VersionFolder
from tfx_pipeline.paths.inputs import InputError, is_remote
from tfx_pipeline.serving.served import model_id
from tfx_pipeline.settings.deployment_config import DeploymentConfig

DEPLOYMENT = "deployment"


class Executor(executor.Executor):
    """Executor of `Pusher`."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes a blessed model, unless it is there already, was rolled back or was overtaken.

        Args:
            input_dict: `model`, `model_blessing` and `baseline_model`, whose `baseline.json` says
                what was served when the model was compared.
            output_dict: `pushed_model`; says where the model lies, whether it was copied now or
                by an earlier run. `push.json` in it is the PushRecord.
            exec_properties: `push_destination`, JSON of a PushDestination, and `custom_config`,
                JSON with the DeploymentConfig as `deployment`.

        Raises:
            InputError: the baseline says nothing, or another process keeps the destination locked.
            ConfigError: the file with the labels cannot be read.
        """
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        base = _base_directory(exec_properties)
        baseline = _baseline(input_dict)
        if is_remote(base):
            if not (self.CheckBlessing(input_dict) and self._overtaken(base, baseline, pushed)):
                super().Do(input_dict, output_dict, exec_properties)
                _remote_record(pushed).write(pushed.uri)
            return
        config = _deployment(exec_properties)
        model = self.GetModelPath(input_dict)
        folder = VersionFolder(Path(base))
        if not self.CheckBlessing(input_dict):
            _configure(folder, config)
            super().Do(input_dict, output_dict, exec_properties)
            _refused_record(folder, model).write(pushed.uri)
            return
        with folder.changing() as state:
            folder.hide_withdrawn(state)
            state = folder.state()
            found = find_candidate(folder, state, model_id(Path(model)))
            if found is not None and found.withdrawn:
                logging.warning("Not pushed: the model is version %d, rolled back", found.version)
                self._MarkNotPushed(pushed)
                PushRecord(str(found.version), withdrawn=True).write(pushed.uri)
                return
            served = found is not None and found.version == state.stable
            if not served and self._overtaken(base, baseline, pushed):
                return
            if found is not None:
                logging.info("The model lies there already: version %d", found.version)
                version = found.version
                io_utils.copy_dir(model, pushed.uri)
            else:
                staging = folder.staging()
                super().Do(input_dict, output_dict, _pushing_to(exec_properties, staging))
                (staged,) = staging.iterdir()
                version = folder.take_in(staged, state)
                staging.rmdir()
            admit(folder, state, version, config)
        destination = str(folder.path(version))
        self._MarkPushed(pushed, destination, str(version))
        PushRecord(str(version), destination, served).write(pushed.uri)

    def _overtaken(self, base: str, baseline: BaselineRecord, pushed: Any) -> bool:
        """Whether something else is served than when the model was compared; notes it if so."""
        now = overtaken_by(base, baseline)
        if now is None:
            return False
        record = PushRecord(overtaken=True, served_then=baseline.stable, served_now=now)
        logging.warning(
            "Not pushed: served is version %r, and not %r as when the model was compared",
            record.served_now,
            record.served_then,
        )
        self._MarkNotPushed(pushed)
        record.write(pushed.uri)
        return True


class PusherSpec(standard_component_specs.PusherSpec):
    """TFX's inputs, outputs and parameters, and what the model was compared with."""

    INPUTS = {
        **standard_component_specs.PusherSpec.INPUTS,
        "baseline_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }


class Pusher(base_component.BaseComponent):
    """TFX's Pusher with our executor."""

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        model_blessing: BaseChannel,
        baseline_model: BaseChannel,
        push_destination: pusher_pb2.PushDestination,
        custom_config: dict[str, Any],
        infra_blessing: BaseChannel | None = None,
    ):
        """Makes the node.

        Args:
            model: the candidate.
            model_blessing: the Evaluator's decision.
            baseline_model: of BaselineModel; what was served when the candidate was compared.
            push_destination: folder or URI of numbered versions.
            custom_config: the DeploymentConfig's values as `deployment`.
            infra_blessing: the InfraValidator's decision, where there is one.
        """
        super().__init__(
            PusherSpec(
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                baseline_model=baseline_model,
                push_destination=push_destination,
                custom_config=json_utils.dumps(custom_config),
                pushed_model=Channel(type=standard_artifacts.PushedModel),
            )
        )


def _baseline(input_dict: dict[str, list[Any]]) -> BaselineRecord:
    uri = artifact_utils.get_single_uri(input_dict["baseline_model"])
    record = BaselineRecord.find(uri)
    if record is None:
        raise InputError(f"{uri!r} has no baseline.json: it was not written by BaselineModel")
    return record


def _base_directory(exec_properties: dict[str, Any]) -> str:
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(exec_properties["push_destination"], destination)
    return str(destination.filesystem.base_directory)


def _remote_record(pushed: Any) -> PushRecord:
    """What TFX's own executor did; it does not look for a model that is there already."""
    if pushed.get_int_custom_property("pushed") != 1:
        return PushRecord()
    return PushRecord(
        str(pushed.get_custom_property("pushed_version") or ""),
        str(pushed.get_custom_property("pushed_destination") or ""),
    )


def _refused_record(folder: VersionFolder, model: str) -> PushRecord:
    """Where a model that was not blessed is served all the same, since an earlier run."""
    if not folder.root.is_dir():
        return PushRecord()
    state = folder.state()
    found = find_candidate(folder, state, model_id(Path(model)))
    if found is None:
        return PushRecord()
    return PushRecord(
        str(found.version), served=found.version == state.stable, withdrawn=found.withdrawn
    )


def _configure(folder: VersionFolder, config: DeploymentConfig) -> None:
    """Settings count from now on, also when the model that came with them does not pass."""
    if folder.root.is_dir():
        with folder.changing() as state:
            if state.visible:
                folder.configure(state, config)


def _pushing_to(exec_properties: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The properties with another push destination."""
    destination = pusher_pb2.PushDestination()
    destination.filesystem.base_directory = str(folder)
    return {**exec_properties, "push_destination": json_format.MessageToJson(destination)}


def _deployment(exec_properties: dict[str, Any]) -> DeploymentConfig:
    given = json.loads(exec_properties.get("custom_config") or "null") or {}
    return DeploymentConfig.from_dict(given.get(DEPLOYMENT, {}), "deployment.")
