"""Executor of RunReport: artifacts in, page out."""

from __future__ import annotations

import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.run_report.sources import RunFolders, collect
from components.run_report.writer import write

SPECIALIST_RUN = "specialist_run_{}"

_FOLDERS = (
    "data_quality",
    "encoder_run",
    "cluster_evaluation",
    "comparison",
    "evaluation",
    "blessing",
    "infra_blessing",
    "items",
    "model",
    "baseline",
)


class Executor(base_executor.BaseExecutor):
    """Collects the artifacts of a run and writes its report."""

    def Do(  # noqa: N802  (the name that TFX calls)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `index.html` and `metrics.json`.

        Args:
            input_dict: the artifacts; every input may be missing or empty.
            output_dict: "report", one Report.
            exec_properties: `run_name`, and optionally `provenance` (JSON object).

        Raises:
            UnreadableArtifactError: if an artifact holds a damaged file.
        """
        pushed = _first(input_dict, "pushed_model")
        if pushed is not None and pushed.get_int_custom_property("pushed") != 1:
            pushed = None
        inputs = collect(
            RunFolders(
                specialist_runs=_specialists(input_dict),
                **{name: _uri(input_dict, name) for name in _FOLDERS},
            ),
            run_name=exec_properties["run_name"],
            provenance=json.loads(exec_properties.get("provenance") or "{}"),
            destination=_text(pushed, "pushed_destination"),
            version=_text(pushed, "pushed_version"),
        )
        write(inputs, artifact_utils.get_single_uri(output_dict["report"]))


def _first(input_dict: dict[str, list[types.Artifact]], name: str) -> types.Artifact | None:
    artifacts = input_dict.get(name)
    return artifacts[0] if artifacts else None


def _uri(input_dict: dict[str, list[types.Artifact]], name: str) -> str | None:
    artifact = _first(input_dict, name)
    return artifact.uri if artifact is not None else None


def _text(artifact: types.Artifact | None, name: str) -> str:
    """A custom property of any type as text; "" when it is not set."""
    value = artifact.get_custom_property(name) if artifact is not None else None
    return "" if value is None else str(value)


def _specialists(input_dict: dict[str, list[types.Artifact]]) -> tuple[str, ...]:
    """Folders of the specialists' runs by ascending number."""
    prefix = SPECIALIST_RUN.format("")
    numbers = sorted(
        int(name[len(prefix) :])
        for name, artifacts in input_dict.items()
        if name.startswith(prefix) and artifacts
    )
    return tuple(input_dict[SPECIALIST_RUN.format(k)][0].uri for k in numbers)
