"""Executor of CuratedSchema."""

from __future__ import annotations

import importlib.resources
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from trainer.uri_files import write_bytes

FILE_NAME = "schema.pbtxt"


def history_schema() -> bytes:
    """Content of `schema/history.pbtxt`."""
    return importlib.resources.files("schema").joinpath("history.pbtxt").read_bytes()


class Executor(base_executor.BaseExecutor):
    """Writes the schema into the artifact."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `schema.pbtxt` into the only Schema under "schema"."""
        folder = artifact_utils.get_single_uri(output_dict["schema"])
        write_bytes(f"{folder}/{FILE_NAME}", history_schema())
