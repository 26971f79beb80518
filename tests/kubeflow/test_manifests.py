"""The Kubernetes manifests: valid, and their parts fit each other, the settings and the image.

kustomize itself is not at hand; what its files name is looked up here instead.
"""

import kubernetes_validate
import pytest
import yaml

from tests.helpers.repository import REPOSITORY
from tfx_pipeline.kubeflow.check.report import faults, warnings
from tfx_pipeline.kubeflow.compiler import build
from tfx_pipeline.settings.run_config import load_config

pytestmark = pytest.mark.slow

MANIFESTS = REPOSITORY / "kubeflow" / "manifests"
BASE = MANIFESTS / "base"
OVERLAYS = sorted((MANIFESTS / "overlays").iterdir())
KUBERNETES = "1.30"
USER = 10001


def _kustomization(folder):
    return yaml.safe_load((folder / "kustomization.yaml").read_text())


def _resources(folder):
    """The resources that a kustomization.yaml names, and those of the folders it builds on."""
    found = []
    for name in _kustomization(folder)["resources"]:
        path = (folder / name).resolve()
        assert path.exists(), f"{folder.name}: no resource {name}"
        if path.is_dir():
            found += _resources(path)
        else:
            found += [one for one in yaml.safe_load_all(path.read_text()) if one]
    return found


def _by_kind(folder):
    return {(one["kind"], one["metadata"]["name"]): one for one in _resources(folder)}


def _generators(folder, kind):
    return {one["name"]: one for one in _kustomization(folder).get(kind, [])}


@pytest.mark.parametrize("folder", [BASE, *OVERLAYS], ids=lambda folder: folder.name)
def test_every_resource_is_valid(folder):
    resources = _resources(folder)
    assert len(resources) >= 5
    for resource in resources:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def test_a_misspelt_field_would_be_noticed():
    job = _by_kind(BASE)["Job", "cohortrec-submit"]
    job["spec"]["template"]["spec"]["serviceAcountName"] = "cohortrec"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, KUBERNETES, strict=True)


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda folder: folder.name)
def test_every_patch_has_a_target_and_is_valid(folder):
    for patch in _kustomization(folder).get("patches", []):
        target = (patch["target"]["kind"], patch["target"]["name"])
        assert target in _by_kind(folder)
        content = yaml.safe_load((folder / patch["path"]).read_text())
        assert (content["kind"], content["metadata"]["name"]) == target
        # Patches of this kind are whole resources of which parts may be missing.
        kubernetes_validate.validate(content, KUBERNETES, strict=True)


@pytest.mark.parametrize("folder", [BASE, *OVERLAYS], ids=lambda folder: folder.name)
def test_generated_config_maps_replace_those_of_the_base(folder):
    below = _generators(BASE, "configMapGenerator")
    for name, generator in _generators(folder, "configMapGenerator").items():
        for file in generator.get("files", []):
            assert (folder / file).is_file()
        for literal in generator.get("literals", []):
            assert "=" in literal
        if folder != BASE:
            assert name in below
            assert generator["behavior"] == "replace"
            same = {text.partition("=")[0] for text in generator.get("literals", [])}
            base = {text.partition("=")[0] for text in below[name].get("literals", [])}
            assert same == base


def test_secrets_are_not_in_the_repository():
    production = MANIFESTS / "overlays" / "production"
    (secret,) = _generators(production, "secretGenerator").values()
    (file,) = secret["envs"]
    assert (production / f"{file}.example").is_file()
    ignored = (MANIFESTS.parents[1] / ".gitignore").read_text().splitlines()
    assert f"kubeflow/manifests/**/{file}" in ignored
    launcher = _by_kind(production)["ConfigMap", "kfp-launcher"]
    provider = yaml.safe_load(launcher["data"]["providers"])["s3"]["default"]["credentials"]
    assert provider["secretRef"]["secretName"] == secret["name"]
    keys = {line.partition("=")[0] for line in (production / f"{file}.example").read_text().split()}
    assert {provider["secretRef"][key] for key in ("accessKeyKey", "secretKeyKey")} == keys
    role = _by_kind(production)["Role", "cohortrec"]
    allowed = {name for rule in role["rules"] for name in rule.get("resourceNames", [])}
    assert {secret["name"], "kfp-launcher"} <= allowed


def test_the_job_uses_what_there_is():
    resources = _by_kind(BASE)
    pod = resources["Job", "cohortrec-submit"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert ("ServiceAccount", pod["serviceAccountName"]) in resources
    config_maps = set(_generators(BASE, "configMapGenerator"))
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert set(volumes) == {mount["name"] for mount in container["volumeMounts"]}
    assert volumes["settings"]["configMap"]["name"] in config_maps
    claim = volumes["cohortrec"]["persistentVolumeClaim"]["claimName"]
    assert ("PersistentVolumeClaim", claim) in resources
    (source,) = container["envFrom"]
    literals = _generators(BASE, "configMapGenerator")[source["configMapRef"]["name"]]["literals"]
    script = container["args"][0]
    for name in (text.partition("=")[0] for text in literals):
        assert f"${{{name}}}" in script
    dockerfile = (MANIFESTS.parent / "Dockerfile").read_text()
    assert f"USER {USER}:{USER}" in dockerfile
    security = pod["securityContext"]
    assert {security["runAsUser"], security["runAsGroup"], security["fsGroup"]} == {USER}
    assert " /opt/cohortrec/submit.py" in dockerfile
    assert "/opt/cohortrec/submit.py" in script


@pytest.mark.parametrize("folder", [BASE, *OVERLAYS], ids=lambda folder: folder.name)
def test_the_settings_compile_and_fit_the_resources(folder):
    given = {} if folder != BASE else {"events": ("gs://bucket/events.csv",)}
    config = load_config([], folder / "settings.yaml", **given)
    assert faults(build(config)) == []
    assert warnings(config.kubeflow) == []
    resources = _by_kind(folder)
    assert ("PersistentVolumeClaim", config.kubeflow.volume_claim) in resources
    for image in _kustomization(folder).get("images", []):
        assert config.kubeflow.image == f"{image['newName']}:{image['newTag']}"
    launcher = resources.get(("ConfigMap", "kfp-launcher"))
    if launcher is not None:
        assert config.kubeflow.pipeline_root == launcher["data"]["defaultPipelineRoot"]
