"""Manifests against the schemas of Kubernetes, and what they must say beyond these."""

import copy
import json

import kubernetes_validate
import pytest
import yaml

from tfx_pipeline.deployment import manifests
from tfx_pipeline.deployment.manifests import manifest, write_manifests
from tfx_pipeline.deployment.server_configs import (
    BATCHING_CONFIG,
    MONITORING_CONFIG,
    MONITORING_PATH,
)
from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.settings.deployment_config import DeploymentConfig
from tfx_pipeline.settings.run_config import load_config
from trainer.serving.version_labels import MODELS_CONFIG

VERSIONS = ("1.28", "1.32", kubernetes_validate.latest_version())
KSERVE_FIELDS = {"canaryTrafficPercent", "minReplicas"}
"""Fields of KServe's PredictorSpec that are no fields of a PodSpec, as far as they are used."""

ASKED = [
    "deployment.model_name=shop",
    "deployment.batching.enabled=true",
    "deployment.kubernetes.replicas=5",
    "deployment.kubernetes.memory=512Mi",
    "deployment.kubernetes.claim=shared",
    "deployment.kubernetes.volume_path=shops/one/serving",
]


def deployment(config):
    return yaml.safe_load(manifest("deployment.yaml", config))


def service(config):
    return yaml.safe_load(manifest("service.yaml", config))


def inference_service(config, version, percent=None):
    return yaml.safe_load(manifests.inference_service(config, version, percent))


@pytest.fixture(params=["default", "own"])
def config(request):
    return load_config(overrides=ASKED if request.param == "own" else []).deployment


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", [deployment, service])
def test_manifests_are_valid(make, config, version):
    kubernetes_validate.validate(make(config), version, strict=True)


def test_the_validation_sees_faults(config):
    wrong = copy.deepcopy(deployment(config))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("percent", [None, 25])
def test_the_predictor_of_kserve_is_a_pod(config, percent):
    """Kubernetes knows more of a pod and of metadata than KServe's definition says of them, which
    `test_inference_service_schema.py` is about."""
    manifest = inference_service(config, 42, percent)
    predictor = manifest["spec"]["predictor"]
    spec = {field: value for field, value in predictor.items() if field not in KSERVE_FIELDS}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": manifest["metadata"], "spec": spec}
    kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)
    spec["canaryTraficPercent"] = 10
    with pytest.raises(kubernetes_validate.ValidationError, match="canaryTraficPercent"):
        kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_a_revision_of_kserve_sees_one_version_only(config):
    stable, canary = inference_service(config, 41), inference_service(config, 42, 10)
    assert "canaryTrafficPercent" not in stable["spec"]["predictor"]
    assert canary["spec"]["predictor"]["canaryTrafficPercent"] == 10
    assert stable["metadata"]["name"] == canary["metadata"]["name"]
    for made, version in ((stable, 41), (canary, 42)):
        (container,) = made["spec"]["predictor"]["containers"]
        mounts = {mount["mountPath"]: mount["subPath"] for mount in container["volumeMounts"]}
        numbered = {path for path in mounts if path.rpartition("/")[2].isdecimal()}
        assert numbered == {f"{config.server_path}/{version}"}
        assert mounts[f"{config.server_path}/{version}"] == (
            f"{config.kubernetes.volume_path}/{version}"
        )
        assert f"--model_base_path={config.server_path}" in container["args"]


def test_deployment_and_kserve_give_a_server_the_same_resources(config):
    kubernetes = config.kubernetes
    pod = deployment(config)["spec"]["template"]["spec"]
    for spec in (pod, inference_service(config, 42)["spec"]["predictor"]):
        # No limit of cores: a server may use what is idle.
        assert spec["containers"][0]["resources"] == {
            "requests": {"cpu": kubernetes.cpu, "memory": kubernetes.memory},
            "limits": {"memory": kubernetes.memory},
        }


def test_the_deployment_serves_the_volume(config):
    manifest = deployment(config)
    assert manifest["spec"]["replicas"] == config.kubernetes.replicas
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (mount,) = [m for m in container["volumeMounts"] if m["name"] == "versions"]
    assert (mount["mountPath"], mount["readOnly"]) == (config.server_path, True)
    assert mount["subPath"] == config.kubernetes.volume_path
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == config.kubernetes.claim
    path = f"/v1/models/{config.model_name}/labels/stable/metadata"
    assert container["readinessProbe"]["httpGet"]["path"] == path
    assert container["startupProbe"]["httpGet"]["path"] == path
    assert container["livenessProbe"]["tcpSocket"] == {"port": "rest"}
    annotations = manifest["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == MONITORING_PATH


def test_the_servers_read_the_files_beside_the_versions(config):
    pod = deployment(config)["spec"]["template"]["spec"]
    flags = dict(flag.removeprefix("--").split("=") for flag in pod["containers"][0]["args"])
    assert flags["model_config_file"] == f"{config.server_path}/{MODELS_CONFIG}"
    assert flags["monitoring_config_file"] == f"{config.server_path}/{MONITORING_CONFIG}"
    assert flags["model_config_file_poll_wait_seconds"] == str(config.poll_seconds)
    if config.batching.enabled:
        assert flags["enable_batching"] == "true"
        assert flags["batching_parameters_file"] == f"{config.server_path}/{BATCHING_CONFIG}"
    else:
        assert not any("batching" in flag for flag in flags)


def test_texts_stay_texts_whatever_is_in_them():
    odd = ' # "one"\\two: é'
    config = load_config(
        overrides=[
            'deployment.model_name="on"',
            'deployment.kubernetes.cpu="2"',
            f"deployment.base_path={json.dumps('/mnt' + odd)}",
            f"deployment.kubernetes.volume_path={json.dumps('a' + odd)}",
        ]
    ).deployment
    for made in (deployment(config)["spec"]["template"], inference_service(config, 7)):
        spec = made["spec"].get("predictor", made["spec"])
        (container,) = spec["containers"]
        mount = container["volumeMounts"][0]
        assert container["resources"]["requests"]["cpu"] == "2"
        assert f"--monitoring_config_file=/mnt{odd}/{MONITORING_CONFIG}" in container["args"]
        assert mount["mountPath"].removesuffix("/7") == "/mnt" + odd
        assert mount["subPath"].removesuffix("/7") == "a" + odd
    assert deployment(config)["metadata"]["name"] == "on"


def test_ports_and_selectors_meet(config):
    made, before = deployment(config), service(config)
    template = made["spec"]["template"]
    assert made["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert before["spec"]["selector"] == template["metadata"]["labels"]
    ports = {p["name"]: p["containerPort"] for p in template["spec"]["containers"][0]["ports"]}
    assert {p["targetPort"]: p["port"] for p in before["spec"]["ports"]} == ports
    args = template["spec"]["containers"][0]["args"]
    assert {f"--port={ports['grpc']}", f"--rest_api_port={ports['rest']}"} < set(args)


def test_files_follow_the_labels(tmp_path):
    config = DeploymentConfig()
    tried = VersionState(visible=(1, 2), stable=1, canary=2)
    written = {
        path.relative_to(tmp_path).as_posix() for path in write_manifests(tmp_path, config, tried)
    }
    assert written == {
        *("deployment.yaml", "service.yaml", "kustomization.yaml"),
        *("kserve/stable.yaml", "kserve/canary.yaml"),
    }
    kustomization = yaml.safe_load((tmp_path / "kustomization.yaml").read_text())
    assert kustomization["resources"] == ["deployment.yaml", "service.yaml"]
    stable = yaml.safe_load((tmp_path / "kserve" / "stable.yaml").read_text())
    assert stable == inference_service(config, 1)
    write_manifests(tmp_path, config, tried.promoted(2))
    assert not (tmp_path / "kserve" / "canary.yaml").exists()
