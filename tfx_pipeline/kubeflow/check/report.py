"""All checks of a compiled pipeline."""

from __future__ import annotations

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from tfx_pipeline.kubeflow.check.backend import backend_faults
from tfx_pipeline.kubeflow.check.executors import executor_faults
from tfx_pipeline.kubeflow.check.graph import graph_faults
from tfx_pipeline.kubeflow.check.inputs import input_faults
from tfx_pipeline.kubeflow.check.platform import platform_faults
from tfx_pipeline.kubeflow.pipeline_file import PipelineFile
from tfx_pipeline.paths.inputs import is_remote
from tfx_pipeline.settings.kubeflow_config import KubeflowConfig


def faults(compiled: PipelineFile) -> list[str]:
    """What is wrong, a sentence each that names the task and the input at fault.

    Args:
        compiled: freshly compiled, or read from a file.
    """
    try:
        json_format.ParseDict(compiled.spec, pipeline_spec_pb2.PipelineSpec())
    except json_format.ParseError as error:
        return [f"the file is no pipeline spec: {error}"]
    found = [
        *graph_faults(compiled.spec),
        *backend_faults(compiled.spec),
        *input_faults(compiled.spec),
        *executor_faults(compiled.spec),
    ]
    if compiled.platform is not None:
        found += platform_faults(compiled.spec, compiled.platform)
    return found


def warnings(config: KubeflowConfig) -> list[str]:
    """What is valid, and yet perhaps not meant."""
    found = []
    if not is_remote(config.root) and not config.volume_claim:
        found.append(
            f"kubeflow.root {config.root} is a folder, but no volume is mounted there: served "
            "models would be lost with the pods; set kubeflow.volume_claim"
        )
    if config.image.rpartition("/")[2].partition(":")[2] in ("", "latest"):
        found.append(
            f"kubeflow.image {config.image!r} may change under its name, which the cache does not "
            "notice; give a version"
        )
    return found
