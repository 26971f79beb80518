"""What the settings say about tasks as the cluster runs them: resources, retries, cache, volume."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tfx_pipeline.dag import nodes
from tfx_pipeline.kubeflow.node_names import check_names, matching, task_name
from tfx_pipeline.paths.inputs import is_remote
from tfx_pipeline.settings import quantities
from tfx_pipeline.settings.kubeflow_config import KubeflowConfig, NodeResources, RetryPolicy
from trainer.settings import ConfigError


def resources_of(config: KubeflowConfig, node: str) -> NodeResources:
    """What a node's pod asks for: the settings of its classes and its own, the exact ones last."""
    values: dict[str, Any] = {}
    for given in matching(config.resources, node):
        values.update(given.model_dump(exclude_unset=True))
    return NodeResources.from_dict(values, prefix=f"kubeflow.resources.{node}.")


def cached(config: KubeflowConfig, node: str, reads_files: Collection[str]) -> bool:
    """Whether a node's result may come from the cache.

    Args:
        config: `caching` decides where it names the node or a class of it.
        node: its name.
        reads_files: nodes that read files by name. A file may change under its name between two
            runs, so these are not cached unless the settings say so.
    """
    # It reads what is served now, which no cache key knows.
    if node == nodes.BASELINE:
        return False
    decided = matching(config.caching, node)
    if node in reads_files:
        decided = [value for name, value in config.caching.items() if name == node]
    return decided[-1] if decided else node not in reads_files


def apply_options(
    spec: dict[str, Any],
    config: KubeflowConfig,
    names: Collection[str],
    reads_files: Collection[str],
) -> dict[str, Any] | None:
    """Writes resources, retries and cache into a pipeline spec.

    Args:
        spec: the pipeline spec, with tasks named by `task_name`; changed in place.
        config: the settings.
        names: all nodes.
        reads_files: see `cached`.

    Returns:
        The platform spec, with what only Kubernetes knows (volume, node selectors), or None when
        there is nothing of that kind.

    Raises:
        ConfigError: a setting names an unknown node, or BaselineModel is to be cached.
    """
    check_names(config.resources, names, "kubeflow.resources")
    check_names(config.caching, names, "kubeflow.caching")
    if config.caching.get(nodes.BASELINE):
        raise ConfigError(
            f"kubeflow.caching: {nodes.BASELINE} reads what is served now, and is never cached"
        )
    platform = {}
    for node in names:
        task = spec["root"]["dag"]["tasks"][task_name(node)]
        label = spec["components"][task["componentRef"]["name"]]["executorLabel"]
        task["cachingOptions"] = {"enableCache": True} if cached(config, node, reads_files) else {}
        if config.retries.count:
            task["retryPolicy"] = _retry_policy(config.retries)
        resources = resources_of(config, node)
        if in_spec := _resource_spec(resources):
            spec["deploymentSpec"]["executors"][label]["container"]["resources"] = in_spec
        if on_platform := _platform_options(config, resources):
            platform[label] = on_platform
    if not platform:
        return None
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": platform}}}}


def _retry_policy(retries: RetryPolicy) -> dict[str, Any]:
    return {
        "maxRetryCount": retries.count,
        "backoffDuration": f"{retries.backoff_seconds}s",
        "backoffFactor": retries.backoff_factor,
        "backoffMaxDuration": f"{retries.max_backoff_seconds}s",
    }


def _resource_spec(resources: NodeResources) -> dict[str, Any]:
    """The numeric form, which every version of the backend reads."""
    found: dict[str, Any] = {}
    for name, value in (
        ("cpuRequest", resources.cpu_request),
        ("cpuLimit", resources.cpu_limit),
    ):
        if value is not None:
            found[name] = float(quantities.parse(value))
    for name, value in (
        ("memoryRequest", resources.memory_request),
        ("memoryLimit", resources.memory_limit),
    ):
        if value is not None:
            found[name] = quantities.gigabytes(value)
    if resources.accelerator is not None:
        count = str(resources.accelerator_count)
        found["accelerator"] = {"type": resources.accelerator, "count": count}
    return found


def _platform_options(config: KubeflowConfig, resources: NodeResources) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if config.volume_claim and not is_remote(config.root):
        found["pvcMount"] = [{"constant": config.volume_claim, "mountPath": config.root}]
    if resources.node_selector:
        found["nodeSelector"] = {"labels": dict(resources.node_selector)}
    return found
