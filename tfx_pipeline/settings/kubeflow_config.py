"""Settings of the compiled pipeline: image, storage, run parameters, resources, retries, cache."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from tfx_pipeline.paths import storage
from tfx_pipeline.paths.inputs import is_remote
from tfx_pipeline.settings import quantities
from trainer.settings import Settings

RUN_PARAMETERS = (
    "run.seed",
    "data.max_bad_fraction",
    "training.epochs",
    "training.learning_rate",
    "training.batch_size",
    "specialists.epochs",
    "specialists.learning_rate",
    "gates.mode",
    "gates.min_test_users",
    "gates.min_ndcg_at_10",
    "gates.max_loss",
    "gates.max_cluster_loss",
)


class NodeResources(Settings):
    """What the pod of a node asks for; what is not given is left to the cluster."""

    cpu_request: str | None = None
    """Kubernetes quantity of cores: "2", "500m"."""
    cpu_limit: str | None = None
    memory_request: str | None = None
    """Kubernetes quantity of bytes: "4Gi", "512M"."""
    memory_limit: str | None = None
    accelerator: str | None = None
    """Resource name of an accelerator, such as nvidia.com/gpu."""
    accelerator_count: Annotated[int, Field(ge=1)] = 1
    node_selector: dict[str, str] = {}
    """Labels that the cluster's node must have."""

    @field_validator("cpu_request", "cpu_limit", "memory_request", "memory_limit", mode="before")
    @classmethod
    def _quantity(cls, value: object) -> str | None:
        if value is None:
            return None
        quantities.parse(str(value))
        return str(value)

    @model_validator(mode="after")
    def _requests_within_limits(self) -> NodeResources:
        for what in ("cpu", "memory"):
            request, limit = getattr(self, f"{what}_request"), getattr(self, f"{what}_limit")
            if request and limit and quantities.parse(request) > quantities.parse(limit):
                raise ValueError(f"{what}_request {request} is more than {what}_limit {limit}")
        return self


class RetryPolicy(Settings):
    """How often a failed task is tried again, and how long that waits."""

    count: Annotated[int, Field(ge=0, le=20)] = 2
    """Tries after the first; 0 for none."""
    backoff_seconds: Annotated[int, Field(ge=0)] = 60
    """Wait before the first retry."""
    backoff_factor: Annotated[float, Field(ge=1)] = 2.0
    """Each further wait is so many times as long."""
    max_backoff_seconds: Annotated[int, Field(ge=0)] = 3600
    """The longest wait."""


class KubeflowConfig(Settings):
    """What the compiled pipeline needs to know about the cluster.

    `resources` and `caching` are given for "default", a class of nodes ("Trainer",
    "Trainer.cluster") or one node ("Trainer.cluster_0"); the more exact name wins, setting by
    setting.
    """

    image: str = "cohortrec:latest"
    """Container image with this project installed (see kubeflow/)."""
    root: str = "/mnt/cohortrec"
    """Folder on a volume (`volume_claim`), or a gs:// bucket: the served models, checkpoints and
    the vectors of item texts go below it."""
    volume_claim: str | None = None
    """Name of the PersistentVolumeClaim that every task mounts at `root`."""
    pipeline_root: str | None = None
    """Where Kubeflow Pipelines keeps the artifacts: gs://, s3:// or minio://; its own default
    when not given."""
    parameters: tuple[str, ...] = RUN_PARAMETERS
    """Settings that whoever starts a run may change, beside events, items and start_from."""
    resources: dict[str, NodeResources] = {}
    """What the pods of nodes ask for, by node."""
    retries: RetryPolicy = RetryPolicy()
    caching: dict[str, bool] = {}
    """Whether a node may come from the cache, by node."""

    @field_validator("root")
    @classmethod
    def _usable_root(cls, value: str) -> str:
        storage.check_root(value)
        return value.rstrip("/")

    @field_validator("pipeline_root")
    @classmethod
    def _usable_pipeline_root(cls, value: str | None) -> str | None:
        if value is not None:
            storage.check_pipeline_root(value)
        return value

    @field_validator("volume_claim")
    @classmethod
    def _claim_name(cls, value: str | None) -> str | None:
        if value is not None:
            storage.check_claim_name(value)
        return value

    @model_validator(mode="after")
    def _volume_needs_a_folder(self) -> KubeflowConfig:
        if self.volume_claim and is_remote(self.root):
            raise ValueError(
                f"volume_claim {self.volume_claim!r} is mounted at root, which must be a folder, "
                f"not {self.root!r}"
            )
        return self
