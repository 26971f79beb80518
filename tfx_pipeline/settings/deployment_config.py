"""Settings of the deployment: how versions come into service, and how servers are run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trainer.settings import Settings

Count = Annotated[int, Field(ge=1)]
KubernetesName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")]


class BatchingConfig(Settings):
    """How a server puts requests together (TensorFlow Serving's BatchingParameters)."""

    enabled: bool = False
    """Off, because a server refuses to put requests of different shapes together: `recommend`
    requests of unequal length would fail as soon as two arrive at once. Turn it on where clients
    ask `serving_default`, whose requests are all of one shape, or pad to one length."""
    max_batch_size: Count = 64
    """Histories in one run of the model."""
    timeout_micros: Annotated[int, Field(ge=0)] = 1000
    """How long a request waits for others, in microseconds."""
    max_enqueued_batches: Count = 100
    """Batches that may wait; more requests are refused as unavailable."""
    threads: Count = 4
    """Batches that run at the same time; as many as cores is usual."""


class KubernetesConfig(Settings):
    """What the manifests say."""

    image: str = "tensorflow/serving:2.16.1"
    """Container image of the model servers."""
    replicas: Count = 2
    """How many servers the Deployment has."""
    claim: KubernetesName = "cohortrec"
    """PersistentVolumeClaim with the push destination on it; the servers only read it."""
    volume_path: Annotated[str, Field(pattern=r"^[^/].*[^/]$")] = "serving"
    """The push destination's folder on that volume."""
    cpu: Quantity = "1"
    """Cores that a replica is given; it may use more."""
    memory: Quantity = "2Gi"
    """Memory of a replica, requested and at most: all kept versions are loaded."""
    canary_percent: Annotated[int, Field(ge=1, le=99)] = 10
    """Share of the traffic that KServe sends to the canary."""


class DeploymentConfig(Settings):
    """How pushed versions are kept, labelled and served."""

    model_name: KubernetesName = "cohortrec"
    """The model's name in requests, and the name of the Kubernetes resources."""
    base_path: Annotated[str, Field(pattern=r"^(/.+)?$")] = ""
    """Where a server sees the push destination; empty for `/models/` and the model's name."""
    promote: Literal["automatic", "manual"] = "automatic"
    """What a model that passed the gates becomes: "automatic" makes it stable, "manual" makes it
    the canary until `cohortrec serving promote`. The first one is stable in any case."""
    kept_versions: Annotated[int, Field(ge=2)] = 3
    """Older versions are deleted, unless a label names them or `rollback` would go there. Servers
    have all of them in memory, so that a label moves without a gap."""
    poll_seconds: Count = 10
    """How often servers read their `models.config` again."""
    grace_seconds: Annotated[int, Field(ge=0)] = 20
    """How long a rolled-back version stays visible, until every server has moved its labels: more
    than `poll_seconds`."""
    batching: BatchingConfig = BatchingConfig()
    kubernetes: KubernetesConfig = KubernetesConfig()

    @property
    def server_path(self) -> str:
        """Where a server sees the push destination."""
        return self.base_path.rstrip("/") or f"/models/{self.model_name}"

    @model_validator(mode="after")
    def _grace_is_longer_than_a_poll(self) -> DeploymentConfig:
        if 0 < self.grace_seconds <= self.poll_seconds:
            raise ValueError(
                f"grace_seconds {self.grace_seconds} must be more than poll_seconds "
                f"{self.poll_seconds}, or 0 where no server reads models.config"
            )
        return self
