"""The platform spec: what only Kubernetes knows of a task."""

from __future__ import annotations

from typing import Any

from tfx_pipeline.paths import storage


def platform_faults(spec: dict[str, Any], platform: dict[str, Any]) -> list[str]:
    """Options of tasks that do not exist, and volumes that cannot be mounted."""
    kubernetes = platform.get("platforms", {}).get("kubernetes")
    if kubernetes is None or set(platform["platforms"]) != {"kubernetes"}:
        return ["the platform spec must be for kubernetes, and nothing else"]
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    found = []
    for label, options in kubernetes.get("deploymentSpec", {}).get("executors", {}).items():
        if label not in executors:
            found.append(f"platform spec: there is no executor {label!r}")
        for mount in options.get("pvcMount", []):
            found += _mount_faults(label, mount)
        labels = options.get("nodeSelector", {}).get("labels", {})
        for key, value in labels.items():
            if not isinstance(value, str):
                found.append(
                    f"platform spec: executor {label}: label {key!r} must be text, not {value!r}"
                )
    return found


def _mount_faults(label: str, mount: dict[str, Any]) -> list[str]:
    found = []
    try:
        storage.check_claim_name(mount.get("constant", ""))
    except ValueError as error:
        found.append(f"platform spec: executor {label}: {error}")
    if not mount.get("mountPath", "").startswith("/"):
        found.append(
            f"platform spec: executor {label}: a volume is mounted at an absolute path, not at "
            f"{mount.get('mountPath')!r}"
        )
    return found
