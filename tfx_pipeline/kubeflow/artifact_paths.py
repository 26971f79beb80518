"""Artifacts of a task where the launcher of Kubeflow Pipelines puts them: in the task's own pod.

The launcher copies input artifacts from the object store to a folder of the pod, and outputs from
there to the store, but names both by their URIs, for which TFX would need a file system: there is
none for s3:// and minio://, and gs:// would be copied twice. So the executor is given the folders,
and what it wrote down is named by URIs again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfx_pipeline.paths.inputs import InputError

POD_ROOT = os.environ.get("KFP_POD_ROOT", "")
"""What stands for the pod's root where a task is tried outside of a container."""
MOUNTS = {
    "gs://": f"{POD_ROOT}/gcs",
    "s3://": f"{POD_ROOT}/s3",
    "minio://": f"{POD_ROOT}/minio",
}
"""Where the launcher puts the artifacts of each kind of store."""


def to_local(
    executor_input: dict[str, Any], mounts: dict[str, str] | None = None
) -> dict[str, str]:
    """Names the artifacts of an ExecutorInput by their folders, and makes those of the outputs.

    Args:
        executor_input: as JSON; changed in place.
        mounts: scheme to folder; `MOUNTS` by default.

    Returns:
        Folder to URI, of the artifacts that were renamed.

    Raises:
        InputError: the launcher put nothing there.
    """
    renamed: dict[str, str] = {}
    for artifact in _artifacts(executor_input.get("inputs", {})):
        _rename(artifact, renamed, mounts or MOUNTS)
    for artifact in _artifacts(executor_input.get("outputs", {})):
        _rename(artifact, renamed, mounts or MOUNTS)
        if "://" not in artifact["uri"]:
            Path(artifact["uri"]).mkdir(parents=True, exist_ok=True)
    return renamed


def to_uris(executor_output: dict[str, Any], renamed: dict[str, str]) -> None:
    """Names the artifacts of an ExecutorOutput by their URIs again, in place.

    The Evaluator also notes in the metadata of its blessing which models it compared.
    """
    for artifact in _artifacts(executor_output):
        artifact["uri"] = renamed.get(artifact["uri"], artifact["uri"])
        for key, value in artifact.get("metadata", {}).items():
            if isinstance(value, str):
                artifact["metadata"][key] = renamed.get(value, value)


def _artifacts(holder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for listed in holder.get("artifacts", {}).values():
        yield from listed.get("artifacts", [])


def _rename(artifact: dict[str, Any], renamed: dict[str, str], mounts: dict[str, str]) -> None:
    uri = artifact["uri"]
    for scheme, mount in mounts.items():
        if uri.startswith(scheme):
            if not Path(mount).is_dir():
                raise InputError(
                    f"{uri}: there is no {mount}, where the launcher of Kubeflow Pipelines puts "
                    "artifacts; tasks run under that launcher, of a backend of version 2.3 or later"
                )
            local = f"{mount}/{uri.removeprefix(scheme)}"
            artifact["uri"] = local
            renamed[local] = uri
