"""Resources, retries, caching and volumes of tasks, from settings by node and class of nodes."""

import copy

import pytest

from tfx_pipeline.kubeflow.node_names import classes, task_name
from tfx_pipeline.kubeflow.task_options import apply_options
from tfx_pipeline.settings.quantities import gigabytes, parse
from tfx_pipeline.settings.run_config import load_config
from trainer.settings import ConfigError

NODES = ["BehaviorExampleGen", "BaselineModel", "Trainer.encoder", "Trainer.cluster_0"]


def _spec():
    return {
        "root": {
            "dag": {
                "tasks": {
                    task_name(node): {"componentRef": {"name": task_name(node)}} for node in NODES
                }
            }
        },
        "components": {
            task_name(node): {"executorLabel": f"exec-{task_name(node)}"} for node in NODES
        },
        "deploymentSpec": {
            "executors": {f"exec-{task_name(node)}": {"container": {}} for node in NODES}
        },
    }


def _applied(*overrides):
    config = load_config([], None, [f"kubeflow.{override}" for override in overrides]).kubeflow
    spec = copy.deepcopy(_spec())
    platform = apply_options(spec, config, NODES, {"BehaviorExampleGen"})
    tasks = {node: spec["root"]["dag"]["tasks"][task_name(node)] for node in NODES}
    resources = {
        node: spec["deploymentSpec"]["executors"][f"exec-{task_name(node)}"]["container"].get(
            "resources"
        )
        for node in NODES
    }
    return tasks, resources, platform


def test_a_node_has_classes_from_general_to_exact():
    assert classes("Trainer.cluster_12") == [
        "default",
        "Trainer",
        "Trainer.cluster",
        "Trainer.cluster_12",
    ]
    assert classes("Pusher") == ["default", "Pusher"]
    assert task_name("Trainer.cluster_12") == "Trainer-cluster-12"


def test_the_exact_name_wins_setting_by_setting():
    _, resources, platform = _applied(
        "resources={default: {cpu_request: 500m, memory_limit: 4Gi},"
        " Trainer: {memory_limit: 8G, accelerator: nvidia.com/gpu, accelerator_count: 2},"
        " Trainer.cluster_0: {cpu_request: 2, node_selector: {pool: gpu}}}"
    )
    assert resources["BehaviorExampleGen"] == {"cpuRequest": 0.5, "memoryLimit": 4.294967296}
    accelerator = {"type": "nvidia.com/gpu", "count": "2"}
    assert resources["Trainer.encoder"] == {
        "cpuRequest": 0.5,
        "memoryLimit": 8.0,
        "accelerator": accelerator,
    }
    assert resources["Trainer.cluster_0"]["cpuRequest"] == 2.0
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert executors == {"exec-Trainer-cluster-0": {"nodeSelector": {"labels": {"pool": "gpu"}}}}


def test_without_settings_nothing_is_asked_for():
    tasks, resources, platform = _applied("retries.count=0")
    assert set(resources.values()) == {None}
    assert platform is None
    assert all("retryPolicy" not in task for task in tasks.values())


def test_retries_wait_longer_each_time():
    tasks, _, _ = _applied("retries={count: 3, backoff_seconds: 30, backoff_factor: 1.5}")
    assert tasks["Trainer.encoder"]["retryPolicy"] == {
        "maxRetryCount": 3,
        "backoffDuration": "30s",
        "backoffFactor": 1.5,
        "backoffMaxDuration": "3600s",
    }


def test_what_reads_files_by_name_is_cached_only_if_asked_for():
    def cached(*overrides):
        tasks, _, _ = _applied(*overrides)
        return {node for node, task in tasks.items() if task["cachingOptions"].get("enableCache")}

    assert cached() == {"Trainer.encoder", "Trainer.cluster_0"}
    assert cached("caching={default: true}") == {"Trainer.encoder", "Trainer.cluster_0"}
    assert "BehaviorExampleGen" in cached("caching={BehaviorExampleGen: true}")
    assert cached("caching={Trainer: false, Trainer.encoder: true}") == {"Trainer.encoder"}
    with pytest.raises(ConfigError, match="never cached"):
        cached("caching={BaselineModel: true}")


def test_every_task_mounts_the_volume_at_the_root():
    _, _, platform = _applied("volume_claim=shop", "root=/mnt/shop")
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    mount = {"pvcMount": [{"constant": "shop", "mountPath": "/mnt/shop"}]}
    assert executors == {f"exec-{task_name(node)}": mount for node in NODES}


def test_an_unknown_node_is_an_error_with_the_nearest_name():
    with pytest.raises(ConfigError, match=r"no node 'Trainer\.encodr'; did you mean"):
        _applied("resources={Trainer.encodr: {cpu_limit: 1}}")
    with pytest.raises(ConfigError, match=r"kubeflow\.caching: .* no node 'Evalator'"):
        _applied("caching={Evalator: false}")


@pytest.mark.parametrize("text", ["4 GB", "many", "-1", "0", "1.5.2", "4gi"])
def test_a_quantity_that_kubernetes_would_refuse_is_refused(text):
    with pytest.raises(ConfigError, match="resources"):
        _applied(f"resources={{default: {{memory_limit: '{text}'}}}}")


def test_requests_above_limits_are_refused_also_across_classes():
    with pytest.raises(ConfigError, match="cpu_request 4 is more than cpu_limit 2"):
        _applied("resources={default: {cpu_request: 4}, Trainer: {cpu_limit: 2}}")


def test_quantities():
    assert float(parse("250m")) == 0.25
    assert gigabytes("512Mi") == pytest.approx(0.536870912)
    assert gigabytes("2000M") == 2.0
