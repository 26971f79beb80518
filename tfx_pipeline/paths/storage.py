"""Which places a compiled pipeline can use, and for what.

There are two kinds of places. *Artifacts* lie below the pipeline root, an object store: the
launcher of Kubeflow Pipelines copies them to the task's pod and back, so gs://, s3:// and minio://
all work (`tfx_pipeline.kubeflow.artifact_paths`). *What the tasks open themselves* (event files,
served models, checkpoints, the vectors of item texts) is read by TensorFlow, TFX and Beam, which
know local folders and gs://; for s3:// and minio:// they have no file system in this image.
"""

from __future__ import annotations

import re

from tfx_pipeline.paths.inputs import is_remote

ARTIFACT_SCHEMES = ("gs://", "s3://", "minio://")
OPENED_SCHEMES = ("gs://",)
_CLAIM = re.compile(r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")


def check_root(path: str) -> None:
    """Checks where the tasks write served models, checkpoints and text vectors.

    Raises:
        ValueError: saying what to give instead.
    """
    if is_remote(path):
        _check_opened(
            path,
            "give a folder on a volume instead (and its kubeflow.volume_claim), and the "
            "bucket as kubeflow.pipeline_root, where the artifacts go",
        )
    elif not path.startswith("/"):
        raise ValueError(f"{path!r} must be an absolute folder: tasks start in no folder of yours")


def check_pipeline_root(uri: str) -> None:
    """Checks where Kubeflow Pipelines keeps artifacts.

    Raises:
        ValueError: saying what to give instead.
    """
    if not uri.startswith(ARTIFACT_SCHEMES):
        raise ValueError(
            f"{uri!r}: the launcher of Kubeflow Pipelines keeps artifacts at "
            f"{', '.join(ARTIFACT_SCHEMES)} only; leave it out for the default of your installation"
        )


def check_input(path: str, what: str) -> None:
    """Checks a file that a task is to read: a path, `package:NAME/path`, or gs://.

    Args:
        path: as the tasks see it.
        what: the setting or run parameter, for the message.

    Raises:
        ValueError: saying what to do instead.
    """
    if not is_remote(path):
        return
    try:
        _check_opened(path, "copy it to the volume at kubeflow.root, or to a gs:// bucket")
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def check_claim_name(name: str) -> None:
    """Checks the name of a PersistentVolumeClaim.

    Raises:
        ValueError: Kubernetes would refuse it.
    """
    if not _CLAIM.match(name):
        raise ValueError(f"{name!r} is no name of a PersistentVolumeClaim (a-z, 0-9, - and .)")


def _check_opened(path: str, advice: str) -> None:
    if not path.startswith(OPENED_SCHEMES):
        scheme = path.partition("://")[0]
        raise ValueError(
            f"{path!r}: TensorFlow and TFX have no file system for {scheme}:// in the tasks; "
            f"{advice}"
        )
