"""Kubernetes manifests that run model servers on the push destination.

`kubectl apply -k FOLDER` brings up the Deployment and its Service. The servers follow the volume:
a push, a promotion or a rollback needs no new rollout of the pods. The manifests are the YAML
files in `templates/`, with the settings in their places.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2

from tfx_pipeline.deployment.server_configs import MONITORING_PATH
from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.settings.deployment_config import DeploymentConfig


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
    files = {
        name: manifest(name, config)
        for name in ("deployment.yaml", "service.yaml", "kustomization.yaml")
    }
    if state.stable is not None:
        files["kserve/stable.yaml"] = inference_service(config, state.stable)
    if state.canary is not None and state.canary != state.stable:
        percent = config.kubernetes.canary_percent
        files["kserve/canary.yaml"] = inference_service(config, state.canary, percent)
    # A canary of an earlier time must not be applied by mistake.
    (folder / "kserve" / "canary.yaml").unlink(missing_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def inference_service(
    config: DeploymentConfig, version: int, canary_percent: int | None = None
) -> str:
    """KServe's InferenceService on one version, as YAML.

    Args:
        config: names, sizes, places.
        version: which one.
        canary_percent: share of the traffic that this version gets, the revision before it gets
            the rest; None for all traffic.
    """
    return manifest(
        "inference_service.yaml", config, version=version, canary_percent=canary_percent
    )


def manifest(template: str, config: DeploymentConfig, **more: Any) -> str:
    """A file of `templates/` with the settings in it.

    Args:
        template: the file's name.
        config: names, sizes, places.
        more: what the template asks for beside the settings.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tfx_pipeline.deployment"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        finalize=_in_quotes,
    )
    return environment.get_template(template).render(
        name=config.model_name,
        folder=config.server_path,
        monitoring_path=MONITORING_PATH,
        poll_seconds=config.poll_seconds,
        batching=config.batching,
        kubernetes=config.kubernetes,
        **more,
    )


def _in_quotes(value: Any) -> Any:
    """What a text is between double quotes in YAML, which reads JSON's."""
    return json.dumps(value, ensure_ascii=False)[1:-1] if isinstance(value, str) else value
