"""The schema of a CustomResourceDefinition as a JSON Schema, as strict as the API server.

Such a schema is "structural": Kubernetes drops fields that it does not name, unless a node keeps
unknown fields, so here these are faults. Rules in CEL (`x-kubernetes-validations`) are not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft4Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

Schema = dict[str, Any]

FORMATS = FormatChecker(formats=())


def _is_integer_of(bits: int, value: Any) -> bool:
    return not isinstance(value, int) or -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


FORMATS.checks("int32")(lambda value: _is_integer_of(32, value))
FORMATS.checks("int64")(lambda value: _is_integer_of(64, value))


def _unique_by_keys(validator: Any, keys: list[str], items: Any, schema: Schema) -> Any:
    """Two entries of a list must not agree in all map keys; a key left out has its default."""
    if not validator.is_type(items, "array"):
        return
    fields = schema.get("items", {}).get("properties", {})
    seen = set()
    for item in (item for item in items if validator.is_type(item, "object")):
        values = tuple(str(item.get(key, fields[key].get("default"))) for key in keys)
        if values in seen:
            yield ValidationError(f"{dict(zip(keys, values, strict=True))} is there twice")
        seen.add(values)


# JSONSchemaProps of Kubernetes is JSON Schema draft 4 with keywords of its own.
StructuralValidator = extend(Draft4Validator, {"x-kubernetes-list-map-keys": _unique_by_keys})


def validator(schema: Schema) -> Draft4Validator:
    """A validator for a schema that `closed` made."""
    return StructuralValidator(schema, format_checker=FORMATS)


def closed(schema: Schema) -> Schema:
    """A structural schema as a JSON Schema that refuses the fields that Kubernetes would drop."""
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: closed(node) for name, node in schema["properties"].items()}
    if "items" in schema:
        made["items"] = closed(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = closed(schema["additionalProperties"])
    keeps_unknown = schema.get("x-kubernetes-preserve-unknown-fields", False)
    if schema.get("type") == "object" and not keeps_unknown:
        made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string", False):
        made["type"] = ["integer", "string"]
    if schema.get("nullable", False):
        kinds = made.get("type", [])
        made["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
        if "enum" in schema:
            made["enum"] = [*schema["enum"], None]
    return made


def crd_schema(path: Path, kind: str, version: str) -> Schema:
    """The structural schema of one version of a kind, with `apiVersion` and `kind` fixed.

    Args:
        path: YAML file with the CustomResourceDefinition, alone or among other documents.
        kind: for example `InferenceService`.
        version: for example `v1beta1`.

    Raises:
        ValueError: the file has no such kind or version.
    """
    # A release's file has megabytes; the loader in C reads them in seconds.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        for document in yaml.load_all(file, Loader=loader):
            if not document or document.get("kind") != "CustomResourceDefinition":
                continue
            spec = document["spec"]
            versions = {entry["name"]: entry for entry in spec["versions"]}
            if spec["names"]["kind"] == kind and version in versions:
                schema = versions[version]["schema"]["openAPIV3Schema"]
                properties = {
                    **schema["properties"],
                    "apiVersion": {"type": "string", "enum": [f"{spec['group']}/{version}"]},
                    "kind": {"type": "string", "enum": [kind]},
                    # Kubernetes itself validates ObjectMeta; a definition says no more of it.
                    "metadata": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                }
                required = sorted({*schema.get("required", []), "apiVersion", "kind", "metadata"})
                return {**schema, "properties": properties, "required": required}
    raise ValueError(f"{path} has no CustomResourceDefinition of {kind} in version {version}")
