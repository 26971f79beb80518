"""One task as the (doubled) launcher runs it: artifacts in, the container's command, artifacts out.

A pod is a folder of its own that is gone when the task has ended, so that nothing can reach another
task but through the object store, which is a folder as well. It keeps files, and no empty folders.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

from tests.tfx_pipeline.kubeflow.backend.specification import Refused
from tests.tfx_pipeline.kubeflow.backend.warm_python import WarmPython

POD_ROOT = "KFP_POD_ROOT"
"""Variable with the folder below which a process finds what a container has at /."""
_MOUNTS = {"gs": "gcs", "s3": "s3", "minio": "minio"}
_EXECUTOR_INPUT = "{{$}}"


class TaskFailed(RuntimeError):
    """A container ended with an error; the message has the end of its log."""


@dataclass(frozen=True)
class Launcher:
    """Runs containers.

    Attributes:
        store: the object store, a folder a bucket.
        pods: the pods, a folder each while they run.
        logs: a file a task.
        installed: what the image has installed, put on the path of Python.
        warm: runs containers that start Python; None to start every one anew.
        fresh: tasks that start Python anew all the same.
    """

    store: Path
    pods: Path
    logs: Path
    installed: Path
    warm: WarmPython | None = None
    fresh: Collection[str] = ()

    def provision(
        self, task: str, root: str, declared: pb.ComponentOutputsSpec
    ) -> pb.ExecutorInput.Outputs:
        """Where a task writes its outputs."""
        pod = self._pod(task)
        outputs = pb.ExecutorInput.Outputs(
            output_file=str(pod / "tmp/kfp_outputs/output_metadata.json")
        )
        for name, artifact in declared.artifacts.items():
            outputs.artifacts[name].artifacts.append(
                pb.RuntimeArtifact(
                    type=artifact.artifact_type,
                    uri=f"{root}/{task}/{name}",
                    metadata=artifact.metadata,
                )
            )
        for name in declared.parameters:
            outputs.parameters[name].output_file = str(pod / f"tmp/kfp/outputs/{name}")
        return outputs

    def run(
        self,
        task: str,
        container: pb.PipelineDeploymentConfig.PipelineContainerSpec,
        executor_input: pb.ExecutorInput,
    ) -> pb.ExecutorOutput:
        """Runs a task's container to its end.

        Raises:
            TaskFailed: its exit code is not 0.
        """
        pod = self._pod(task)
        for folder in ("work", "tmp/kfp_outputs"):
            (pod / folder).mkdir(parents=True)
        for listed in executor_input.inputs.artifacts.values():
            for artifact in listed.artifacts:
                _copy_files(self._stored(artifact.uri), _local(pod, artifact.uri))
        for listed in executor_input.outputs.artifacts.values():
            for artifact in listed.artifacts:
                _local(pod, artifact.uri).parent.mkdir(parents=True, exist_ok=True)
        given = json.dumps(_numbers_as_in_go(json_format.MessageToDict(executor_input)))
        command = [_filled(part, given) for part in (*container.command, *container.args)]
        log = self.logs / f"{task}.log"
        environment = self._environment(pod) | {each.name: each.value for each in container.env}
        code = self._execute(task, command, pod / "work", environment, log)
        if code:
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-60:]
            lines = "\n".join(["", *last])
            raise TaskFailed(f"task {task} ended with exit code {code}:{lines}")
        written = pb.ExecutorOutput()
        output_file = Path(executor_input.outputs.output_file)
        if output_file.is_file():
            json_format.Parse(output_file.read_text(encoding="utf-8"), written)
        for name, listed in executor_input.outputs.artifacts.items():
            told = written.artifacts[name].artifacts if name in written.artifacts else []
            uri = (told[0].uri if told else "") or listed.artifacts[0].uri
            if _local(pod, uri).exists():
                _copy_files(_local(pod, uri), self._stored(uri))
        shutil.rmtree(pod)
        return written

    def _execute(
        self, task: str, command: list[str], folder: Path, environment: dict[str, str], log: Path
    ) -> int:
        """Runs a command to its end; its exit code."""
        if self.warm is not None and task not in self.fresh and self.warm.takes(command):
            return self.warm.run(command, folder, environment, log)
        with log.open("wb") as stream:
            return subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode

    def _pod(self, task: str) -> Path:
        return self.pods / task

    def _stored(self, uri: str) -> Path:
        return self.store / _parts(uri)[1]

    def _environment(self, pod: Path) -> dict[str, str]:
        return container_environment(self.installed, pod) | {POD_ROOT: str(pod)}


def container_environment(installed: Path, pod: Path) -> dict[str, str]:
    """Of a container: nothing of this process but where Python is."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "PYTHONPATH": str(installed),
        "HOME": str(pod / "work"),
        "TMPDIR": str(pod / "tmp"),
        "LANG": "C.UTF-8",
    }


def _parts(uri: str) -> tuple[str, str]:
    """Mount and path of an artifact's URI.

    Raises:
        Refused: the URI names no object store.
    """
    found = re.fullmatch(r"(\w+)://([^?]+)", uri)
    if found is None or found[1] not in _MOUNTS:
        raise Refused(f"artifact {uri!r} lies in no object store ({', '.join(_MOUNTS)})")
    return _MOUNTS[found[1]], found[2]


def _local(pod: Path, uri: str) -> Path:
    """Where the launcher puts an artifact in the pod."""
    mount, path = _parts(uri)
    return pod / mount / path


def _copy_files(source: Path, target: Path) -> None:
    """Copies files as an object store does: folders without files are not kept."""
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return
    for path in source.rglob("*"):
        if path.is_file():
            _copy_files(path, target / path.relative_to(source))


def _numbers_as_in_go(value: Any) -> Any:
    """JSON in which whole numbers have no point, as the real launcher writes it."""
    if isinstance(value, dict):
        return {key: _numbers_as_in_go(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_numbers_as_in_go(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _filled(part: str, executor_input: str) -> str:
    """An argument with the ExecutorInput in place of its placeholder."""
    if "{{$" in part.replace(_EXECUTOR_INPUT, ""):
        raise Refused(f"only the placeholder {_EXECUTOR_INPUT} is supported, not in {part!r}")
    return part.replace(_EXECUTOR_INPUT, executor_input)
