"""Executor of RunReport: artifacts in, page out."""

from __future__ import annotations

import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.gates.config import GatesConfig
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
    "pushed_model",
    "baseline",
)


class Executor(base_executor.BaseExecutor):
    """Collects the artifacts of a run and writes its report."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `index.html` and `metrics.json`.

        Args:
            input_dict: the artifacts; every input may be missing or empty.
            output_dict: "report", one Report.
            exec_properties: `run_name`, `gates_config` (JSON of GatesConfig), and optionally
                `provenance` (JSON object).

        Raises:
            UnreadableArtifactError: if an artifact holds a damaged file.
        """
        inputs = collect(
            RunFolders(
                specialist_runs=_specialists(input_dict),
                **{name: _uri(input_dict, name) for name in _FOLDERS},
            ),
            run_name=exec_properties["run_name"],
            gates=GatesConfig.from_json(exec_properties["gates_config"]),
            provenance=json.loads(exec_properties.get("provenance") or "{}"),
        )
        write(inputs, artifact_utils.get_single_uri(output_dict["report"]))


def _uri(input_dict: dict[str, list[types.Artifact]], name: str) -> str | None:
    artifacts = input_dict.get(name)
    return artifacts[0].uri if artifacts else None


def _specialists(input_dict: dict[str, list[types.Artifact]]) -> tuple[str, ...]:
    """Folders of the specialists' runs by ascending number."""
    prefix = SPECIALIST_RUN.format("")
    numbers = sorted(
        int(name[len(prefix) :])
        for name, artifacts in input_dict.items()
        if name.startswith(prefix) and artifacts
    )
    return tuple(input_dict[SPECIALIST_RUN.format(k)][0].uri for k in numbers)
