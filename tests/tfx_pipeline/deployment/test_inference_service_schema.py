"""The InferenceServices that the project writes, against what KServe's definition says.

Each test runs with the part of the definition that stands in `inference_service_schema.py`, and
again with the whole of it where `KSERVE_CRD` names its file.
"""

import os
import re
from pathlib import Path

import pytest
import yaml

from tests.helpers.crd_schema import closed, crd_schema, validator
from tests.helpers.inference_service_schema import INFERENCE_SERVICE, QUANTITY
from tfx_pipeline.deployment.manifests import inference_service, write_manifests
from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.settings.run_config import load_config

CRD_FILE = os.environ.get("KSERVE_CRD")
OWN = [
    "deployment.model_name=shop",
    "deployment.kubernetes.replicas=5",
    "deployment.kubernetes.cpu=500m",
    "deployment.kubernetes.memory=1.5Gi",
    "deployment.kubernetes.canary_percent=25",
]


@pytest.fixture(scope="module")
def definition():
    if not CRD_FILE:
        pytest.skip("KSERVE_CRD names no file with KServe's CustomResourceDefinition")
    return crd_schema(Path(CRD_FILE), "InferenceService", "v1beta1")


@pytest.fixture(scope="module", params=["part", "whole"] if CRD_FILE else ["part"])
def schema(request):
    whole = request.param == "whole"
    return validator(closed(request.getfixturevalue("definition") if whole else INFERENCE_SERVICE))


@pytest.mark.parametrize("overrides", [[], OWN], ids=["default", "own"])
def test_the_written_manifests_are_valid(schema, overrides, tmp_path):
    config = load_config(overrides=overrides).deployment
    write_manifests(tmp_path, config, VersionState(visible=(1, 2), stable=1, canary=2))
    for name, percent in (("stable", None), ("canary", config.kubernetes.canary_percent)):
        manifest = yaml.safe_load((tmp_path / "kserve" / f"{name}.yaml").read_text())
        assert [error.message for error in schema.iter_errors(manifest)] == []
        assert manifest["spec"]["predictor"].get("canaryTrafficPercent") == percent


def renamed(place, old, new):
    place[new] = place.pop(old)


POD, CONTAINER = "$.spec.predictor", "$.spec.predictor.containers[0]"
FAULTS = {
    "the API's version": (lambda m, p, c: m.update(apiVersion="serving.kserve.io/v1"), "$"),
    "no metadata": (lambda m, p, c: m.pop("metadata"), "$"),
    "no predictor": (lambda m, p, c: renamed(m["spec"], "predictor", "predicator"), "$.spec"),
    "canary misspelt": (lambda m, p, c: renamed(p, "canaryTrafficPercent", "canaryPercent"), POD),
    "canary a string": (lambda m, p, c: p.update(canaryTrafficPercent="10"), POD),
    "canary half a percent": (lambda m, p, c: p.update(canaryTrafficPercent=0.5), POD),
    "replicas a string": (lambda m, p, c: p.update(minReplicas="2"), POD),
    "replicas over 32 bits": (lambda m, p, c: p.update(minReplicas=2**31), POD),
    "one container, no list": (lambda m, p, c: p.update(containers=c), POD),
    "a container without name": (lambda m, p, c: c.pop("name"), CONTAINER),
    "probe misspelt": (lambda m, p, c: renamed(c, "readinessProbe", "readynessProbe"), CONTAINER),
    "arguments in one string": (lambda m, p, c: c.update(args="--model_name=shop"), CONTAINER),
    "an argument no string": (lambda m, p, c: c["args"].append(8080), CONTAINER),
    "a port without number": (lambda m, p, c: c["ports"][0].pop("containerPort"), CONTAINER),
    "a port twice": (lambda m, p, c: c["ports"].append({**c["ports"][0], "name": "b"}), CONTAINER),
    "half a probed port": (
        lambda m, p, c: c["readinessProbe"]["httpGet"].update(port=80.5),
        CONTAINER,
    ),
    "memory no quantity": (
        lambda m, p, c: c["resources"]["limits"].update(memory="2GiB"),
        CONTAINER,
    ),
    "a user by name": (lambda m, p, c: c["securityContext"].update(runAsUser="nobody"), CONTAINER),
    "a mount without path": (lambda m, p, c: c["volumeMounts"][1].pop("mountPath"), CONTAINER),
    "a mount twice": (lambda m, p, c: c["volumeMounts"].append(c["volumeMounts"][0]), CONTAINER),
    "a volume without name": (lambda m, p, c: p["volumes"][0].pop("name"), POD),
    "a claim without name": (
        lambda m, p, c: p["volumes"][0]["persistentVolumeClaim"].pop("claimName"),
        POD,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(schema, fault):
    manifest = yaml.safe_load(inference_service(load_config().deployment, 42, 10))
    predictor = manifest["spec"]["predictor"]
    spoil, place = FAULTS[fault]
    spoil(manifest, predictor, predictor["containers"][0])
    errors = list(schema.iter_errors(manifest))
    assert errors
    assert all(error.json_path.startswith(place) for error in errors)


def as_in(definition, part):
    """The definition's schema with only the fields of the part, in the part's words."""
    made = {
        key: definition[key]
        for key in ("type", "format", "enum", "default", "required", "x-kubernetes-list-map-keys")
        if key in definition
    }
    if "properties" in definition:
        fields = definition["properties"]
        made["properties"] = {
            name: as_in(fields[name], node) for name, node in part["properties"].items()
        }
    for key in {"items", "additionalProperties"} & set(definition):
        made[key] = as_in(definition[key], part[key])
    if "x-kubernetes-int-or-string" in definition:
        made["x-kubernetes-int-or-string"] = True
    if "pattern" in definition:
        made["pattern"] = part["pattern"]
    return made


def test_the_part_says_what_the_definition_says(definition):
    part = INFERENCE_SERVICE["properties"]["spec"]
    assert as_in(definition["properties"]["spec"], part) == part


@pytest.mark.parametrize("quantity", ["2", "500m", "1.5Gi", ".5", "1e3", "-1k", "2.E-3"])
def test_quantities(quantity):
    assert re.search(QUANTITY["pattern"], quantity)
    assert not re.search(QUANTITY["pattern"], f"{quantity}B")
