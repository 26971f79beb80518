"""One compiled pipeline for all tests; each gets a copy that it may spoil."""

import copy

import pytest

from tfx_pipeline.kubeflow.pipeline_file import PipelineFile
from tfx_pipeline.settings.run_config import load_config


@pytest.fixture(scope="session")
def compiled_once():
    from tfx_pipeline.kubeflow.compiler import build

    overrides = ["run.max_clusters=2", "kubeflow.image=shop/cohortrec:7"]
    overrides += ["kubeflow.root=/mnt/shop", "kubeflow.volume_claim=shop"]
    overrides += ["kubeflow.resources={Trainer.encoder: {node_selector: {pool: gpu}}}"]
    return build(load_config([], None, overrides, events=("gs://bucket/events.csv",)))


@pytest.fixture
def compiled(compiled_once) -> PipelineFile:
    return copy.deepcopy(compiled_once)
