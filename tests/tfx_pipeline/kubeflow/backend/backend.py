"""The (doubled) backend: walks the DAG of a compiled pipeline, each task when it may start."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

from tests.tfx_pipeline.kubeflow.backend.artifacts import Records, Types
from tests.tfx_pipeline.kubeflow.backend.conditions import holds
from tests.tfx_pipeline.kubeflow.backend.inputs import resolve, run_values
from tests.tfx_pipeline.kubeflow.backend.launcher import Launcher
from tests.tfx_pipeline.kubeflow.backend.specification import Specification
from tests.tfx_pipeline.kubeflow.backend.warm_python import WarmPython

DEFAULT_PIPELINE_ROOT = "minio://mlpipeline/v2/artifacts"


@dataclass
class Run:
    """What came of a run.

    Attributes:
        store: the object store's folder.
        records: the artifacts.
        seconds: task to (start, end), since the run began.
        skipped: tasks whose condition did not hold, and those behind them.
    """

    store: Path
    records: Records
    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)

    def artifact(self, task: str, name: str) -> Path:
        """The files of an output."""
        return self.store / self.records.uri(task, name).partition("://")[2]


def run_pipeline(
    path: Path,
    folder: Path,
    installed: Path,
    parameters: Mapping[str, Any] | None = None,
    types: Types = "lost",
    parallel: int = 2,
    warm: WarmPython | None = None,
    fresh: Collection[str] = (),
) -> Run:
    """Runs a compiled pipeline.

    Args:
        path: the YAML file.
        folder: for object store, pods and logs.
        installed: what the image has installed.
        parameters: run parameters.
        types: what consumers are told of an artifact's type (`artifacts`).
        parallel: how many tasks run at a time.
        warm: runs the tasks' commands, each in a fork. Without it each starts Python anew, as a
            container does.
        fresh: tasks that start Python anew all the same.

    Raises:
        Refused: the pipeline asks for something that the backend refuses or this double cannot do.
        TaskFailed: a task failed; those that run already end, and no other is started.
    """
    spec = Specification(path)
    folders = folder / "store", folder / "pods", folder / "logs"
    for each in folders:
        each.mkdir(parents=True)
    root = f"{spec.pipeline_root or DEFAULT_PIPELINE_ROOT}/{spec.name}/{uuid.uuid4()}"
    values = run_values(spec.root, parameters or {})
    run = Run(folder / "store", Records(types))
    outputs: dict[tuple[str, str], struct_pb2.Value] = {}
    waiting = {task: spec.upstream(task) for task in spec.tasks}
    done: set[str] = set()
    running: dict[Future[pb.ExecutorOutput], tuple[str, pb.ExecutorInput]] = {}
    began = time.monotonic()
    launcher = Launcher(*folders, installed, warm, fresh)
    with ThreadPoolExecutor(parallel) as pool:
        while waiting or running:
            ready = sorted(task for task, before in waiting.items() if before <= done)
            for task in ready[: parallel - len(running)]:
                behind_skipped = waiting.pop(task) & run.skipped
                inputs = (
                    None if behind_skipped else resolve(spec, task, values, run.records, outputs)
                )
                condition = spec.tasks[task].trigger_policy.condition
                if inputs is None or not holds(condition, inputs):
                    run.skipped.add(task)
                    done.add(task)
                    continue
                provisioned = launcher.provision(
                    task, root, spec.component(task).output_definitions
                )
                given = pb.ExecutorInput(inputs=inputs, outputs=provisioned)
                run.seconds[task] = (time.monotonic() - began, 0.0)
                future = pool.submit(launcher.run, task, spec.container(task), given)
                running[future] = task, given
            if not running:
                continue
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task, given = running.pop(future)
                written = future.result()
                run.records.publish(task, given.outputs, written)
                outputs |= {(task, name): value for name, value in written.parameter_values.items()}
                run.seconds[task] = (run.seconds[task][0], time.monotonic() - began)
                done.add(task)
    return run
