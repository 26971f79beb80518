"""Kubernetes manifests that run model servers on the push destination.

`kubectl apply -k FOLDER` brings up the Deployment and its Service. The servers follow the volume:
a push, a promotion or a rollback needs no new rollout of the pods.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tfx_pipeline.deployment.inference_service import inference_service
from tfx_pipeline.deployment.server_configs import MONITORING_PATH, server_flags
from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.settings.deployment_config import DeploymentConfig
from trainer.serving.version_labels import STABLE

GRPC_PORT = 8500
REST_PORT = 8501
HEADER = "# Written by `cohortrec serving manifests`.\n"

Manifest = dict[str, Any]


def write_manifests(folder: Path, config: DeploymentConfig, state: VersionState) -> list[Path]:
    """Writes all manifests.

    Args:
        folder: a kustomization of the Deployment and the Service; `kserve/` below it has an
            InferenceService for the stable version, and one for the canary while there is one.
        config: names, sizes, places.
        state: which versions KServe is to serve.

    Returns:
        The files.
    """
    resources = {"deployment.yaml": deployment(config), "service.yaml": service(config)}
    files = {
        **resources,
        "kustomization.yaml": {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": sorted(resources),
        },
    }
    canary = state.canary if state.canary != state.stable else None
    if state.stable is not None:
        files["kserve/stable.yaml"] = inference_service(config, state.stable)
    if canary is not None:
        percent = config.kubernetes.canary_percent
        files["kserve/canary.yaml"] = inference_service(config, canary, percent)
    # A canary of an earlier time must not be applied by mistake.
    (folder / "kserve" / "canary.yaml").unlink(missing_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return [folder / name for name in files]


def deployment(config: DeploymentConfig) -> Manifest:
    """The Deployment of the model servers."""
    name, kubernetes = config.model_name, config.kubernetes
    # The status of a model answers 200 while it is still loading; its metadata does not.
    loaded = {
        "httpGet": {"path": f"/v1/models/{name}/labels/{STABLE}/metadata", "port": "rest"},
        "periodSeconds": 5,
        "timeoutSeconds": 5,
    }
    container = {
        "name": "server",
        "image": kubernetes.image,
        "command": ["tensorflow_model_server"],
        "args": [f"--port={GRPC_PORT}", f"--rest_api_port={REST_PORT}", *server_flags(config)],
        "ports": [
            {"name": "grpc", "containerPort": GRPC_PORT},
            {"name": "rest", "containerPort": REST_PORT},
        ],
        # Loading and warming up may take minutes; until then neither of the others counts.
        "startupProbe": {**loaded, "failureThreshold": 120},
        "readinessProbe": {**loaded, "failureThreshold": 3},
        # A server that listens is alive: one without a model gets no requests, but no restart
        # either, which would not bring a model.
        "livenessProbe": {"tcpSocket": {"port": "rest"}, "periodSeconds": 10},
        "resources": kubernetes.resource_requirements(),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {
                "name": "versions",
                "mountPath": config.server_path,
                "subPath": kubernetes.volume_path,
                "readOnly": True,
            },
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {
                "name": "versions",
                "persistentVolumeClaim": {"claimName": kubernetes.claim, "readOnly": True},
            },
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    scraped = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(REST_PORT),
        "prometheus.io/path": MONITORING_PATH,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {
            "replicas": kubernetes.replicas,
            "selector": {"matchLabels": _labels(name)},
            # A replica goes only when its successor has a model.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {
                "metadata": {"labels": _labels(name), "annotations": scraped},
                "spec": pod,
            },
        },
    }


def service(config: DeploymentConfig) -> Manifest:
    """The Service in front of the Deployment."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": config.model_name, "labels": _labels(config.model_name)},
        "spec": {
            "selector": _labels(config.model_name),
            "ports": [
                {"name": "grpc", "port": GRPC_PORT, "targetPort": "grpc"},
                {"name": "rest", "port": REST_PORT, "targetPort": "rest"},
            ],
        },
    }


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "model-server"}
