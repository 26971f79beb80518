"""The model under KServe: one version a revision, so that a canary is another version.

KServe splits traffic between revisions. A revision that read the whole push destination would
change its model under KServe's feet, and both ends of a split would serve the same one. So each
revision sees the one version it was made for, and labels play no part: what they say decides which
version the manifest names.
"""

from __future__ import annotations

from typing import Any

from tfx_pipeline.deployment.server_configs import MONITORING_CONFIG
from tfx_pipeline.settings.deployment_config import DeploymentConfig

REST_PORT = 8080
VERSION_ANNOTATION = "cohortrec/version"


def inference_service(
    config: DeploymentConfig, version: int, canary_percent: int | None = None
) -> dict[str, Any]:
    """An InferenceService on one version.

    Args:
        config: names, sizes, places.
        version: which one.
        canary_percent: share of the traffic that this version gets, the revision before it gets
            the rest; None for all traffic.
    """
    name, kubernetes = config.model_name, config.kubernetes
    folder = config.server_path
    container = {
        # KServe knows the model's container by this name.
        "name": "kserve-container",
        "image": kubernetes.image,
        "command": ["tensorflow_model_server"],
        "args": [
            f"--rest_api_port={REST_PORT}",
            f"--model_name={name}",
            f"--model_base_path={folder}",
            f"--monitoring_config_file={folder}/{MONITORING_CONFIG}",
        ],
        # Knative routes to one port only, and probes it itself.
        "ports": [{"name": "http1", "containerPort": REST_PORT, "protocol": "TCP"}],
        "readinessProbe": {
            "httpGet": {"path": f"/v1/models/{name}/metadata", "port": REST_PORT},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
        "resources": kubernetes.resource_requirements(),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 65534,
        },
        "volumeMounts": [
            {
                "name": "versions",
                "mountPath": f"{folder}/{part}",
                "subPath": f"{kubernetes.volume_path}/{part}",
                "readOnly": True,
            }
            for part in (str(version), MONITORING_CONFIG)
        ],
    }
    predictor: dict[str, Any] = {
        "minReplicas": kubernetes.replicas,
        "containers": [container],
        "volumes": [
            {
                "name": "versions",
                "persistentVolumeClaim": {"claimName": kubernetes.claim, "readOnly": True},
            }
        ],
    }
    if canary_percent is not None:
        predictor = {"canaryTrafficPercent": canary_percent, **predictor}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "annotations": {VERSION_ANNOTATION: str(version)}},
        "spec": {"predictor": predictor},
    }
