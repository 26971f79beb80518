"""Command of every task's container: TFX's own entry point, given what it can work with.

    python -m tfx_pipeline.kubeflow.run_executor \
        --executor_class_path CLASS --json_serialized_invocation_args EXECUTOR_INPUT …

Takes and writes what `tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor` does, which
does the work. Before, run parameters are put where the executor reads them (`task_properties`),
input artifacts get their types back (`artifact_types`), and artifacts are named by their folders in
the pod (`artifact_paths`); afterwards, by their URIs again.
"""

from __future__ import annotations

import json
import logging
import runpy
import sys
from pathlib import Path

from tfx_pipeline.kubeflow.artifact_paths import MOUNTS, to_local, to_uris
from tfx_pipeline.kubeflow.artifact_types import restore_types
from tfx_pipeline.kubeflow.task_properties import execution_properties
from tfx_pipeline.settings.beam_config import DIRECT

TFX_ENTRY_POINT = "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"
EXECUTOR_INPUT = "--json_serialized_invocation_args"
INPUTS_SPEC = "--json_serialized_inputs_spec_args"


def main() -> None:
    """Runs the executor that the arguments of the process name."""
    position = sys.argv.index(EXECUTOR_INPUT) + 1
    executor_input = json.loads(sys.argv[position])
    inputs = executor_input.setdefault("inputs", {})
    inputs["parameterValues"] = execution_properties(inputs.get("parameterValues", {}))
    restore_types(executor_input, json.loads(sys.argv[sys.argv.index(INPUTS_SPEC) + 1]))
    renamed = to_local(executor_input, _mounts(sys.argv))
    sys.argv[position] = json.dumps(executor_input)
    logging.getLogger("cohortrec.progress").setLevel(logging.INFO)
    try:
        # As a program of its own, because TFX keeps the parts of its entry point private.
        runpy.run_module(TFX_ENTRY_POINT, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code:
            raise
    _rename_outputs(Path(executor_input["outputs"]["outputFile"]), renamed)


def _mounts(arguments: list[str]) -> dict[str, str]:
    """Which artifacts are read in the pod. Workers of a Beam cluster open them where they are."""
    beam = [each.partition("=")[2] for each in arguments if each.startswith("--runner=")]
    if all(runner == DIRECT for runner in beam):
        return MOUNTS
    return {scheme: mount for scheme, mount in MOUNTS.items() if scheme != "gs://"}


def _rename_outputs(path: Path, renamed: dict[str, str]) -> None:
    if not renamed or not path.is_file():
        return
    executor_output = json.loads(path.read_text(encoding="utf-8"))
    to_uris(executor_output, renamed)
    path.write_text(json.dumps(executor_output), encoding="utf-8")


if __name__ == "__main__":
    main()
