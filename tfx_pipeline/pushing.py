"""TFX's Pusher, which does not push a model that is served already.

TFX numbers a version by the time of the push, so that every run whose gates pass would put another
copy of the same model beside the first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from absl import logging
from tfx.components.pusher import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils, proto_utils

from tfx_pipeline.served import model_id, newest_version


class Executor(executor.Executor):
    """Executor of `Pusher`."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes a blessed model, unless the newest version served is the same model.

        Args:
            input_dict: `model` and `model_blessing`.
            output_dict: `pushed_model`; says where the model lies, whether it was copied now or
                by an earlier run.
            exec_properties: `push_destination`, JSON of a PushDestination.
        """
        served = _newest(exec_properties["push_destination"])
        model = self.GetModelPath(input_dict)
        known = served is not None and model_id(served) == model_id(Path(model)) is not None
        if served is None or not known or not self.CheckBlessing(input_dict):
            super().Do(input_dict, output_dict, exec_properties)
            return
        logging.info("The model is served already: %s", served)
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        io_utils.copy_dir(model, pushed.uri)
        self._MarkPushed(pushed, pushed_destination=str(served), pushed_version=served.name)


class Pusher(component.Pusher):
    """TFX's Pusher with our executor."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)


def _newest(push_destination: str) -> Path | None:
    """The newest version below a destination; None where that is empty or not on this machine."""
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(push_destination, destination)
    return newest_version(Path(destination.filesystem.base_directory))
