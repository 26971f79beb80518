"""What KServe's CustomResourceDefinition says of the fields that this project writes.

Read from KServe v0.15.2 (`inferenceservices.serving.kserve.io`, version v1beta1) and compared with
the definition at commit 047112c8916e, shortly before v0.15.0, which says the same; v0.18.0 says
the same of all fields of the predictor. Fields that the project does not write are left out, so
that writing one is a fault until it stands here. Where the environment variable `KSERVE_CRD`
names a file with the whole definition, the tests use that too and compare it with this one.
"""

from __future__ import annotations

from tests.helpers.crd_schema import Schema

BOOLEAN: Schema = {"type": "boolean"}
STRING: Schema = {"type": "string"}
INT32: Schema = {"type": "integer", "format": "int32"}
INT64: Schema = {"type": "integer", "format": "int64"}
INT_OR_STRING: Schema = {"x-kubernetes-int-or-string": True}
NUMBER = r"([0-9]+\.?[0-9]*|\.[0-9]+)"
QUANTITY: Schema = {
    **INT_OR_STRING,
    "pattern": rf"^[+-]?{NUMBER}([numkMGTPE]|[KMGTPE]i|[eE][+-]?{NUMBER})?$",
}


def _object(*required: str, **properties: Schema) -> Schema:
    rest = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **rest}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _list(items: Schema, *map_keys: str) -> Schema:
    rest = {"x-kubernetes-list-map-keys": list(map_keys)} if map_keys else {}
    return {"type": "array", "items": items, **rest}


PORT = _object(
    "containerPort",
    name=STRING,
    containerPort=INT32,
    protocol={**STRING, "default": "TCP"},
)
READINESS_PROBE = _object(
    httpGet=_object(path=STRING, port=INT_OR_STRING), periodSeconds=INT32, timeoutSeconds=INT32
)
SECURITY_CONTEXT = _object(
    allowPrivilegeEscalation=BOOLEAN,
    capabilities=_object(drop=_list(STRING)),
    runAsNonRoot=BOOLEAN,
    runAsUser=INT64,
)
VOLUME_MOUNT = _object(
    "mountPath", "name", name=STRING, mountPath=STRING, subPath=STRING, readOnly=BOOLEAN
)
CONTAINER = _object(
    "name",
    name=STRING,
    image=STRING,
    command=_list(STRING),
    args=_list(STRING),
    ports=_list(PORT, "containerPort", "protocol"),
    readinessProbe=READINESS_PROBE,
    resources=_object(requests=_map(QUANTITY), limits=_map(QUANTITY)),
    securityContext=SECURITY_CONTEXT,
    volumeMounts=_list(VOLUME_MOUNT, "mountPath"),
)
VOLUME = _object(
    "name",
    name=STRING,
    persistentVolumeClaim=_object("claimName", claimName=STRING, readOnly=BOOLEAN),
)
PREDICTOR = _object(
    canaryTrafficPercent=INT64,
    minReplicas=INT32,
    containers=_list(CONTAINER),
    volumes=_list(VOLUME),
)
INFERENCE_SERVICE = _object(
    *("apiVersion", "kind", "metadata"),
    apiVersion={"type": "string", "enum": ["serving.kserve.io/v1beta1"]},
    kind={"type": "string", "enum": ["InferenceService"]},
    metadata=_object("name", name=STRING, annotations=_map(STRING)),
    spec=_object("predictor", predictor=PREDICTOR),
)
"""A structural schema, for `crd_schema.closed`; `metadata` is Kubernetes' own."""
