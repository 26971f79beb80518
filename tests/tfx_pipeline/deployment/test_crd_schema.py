"""The schema of a CustomResourceDefinition, on a small one of our own."""

import pytest
import yaml

from tests.helpers.crd_schema import closed, crd_schema, validator

LAMP = """
apiVersion: v1
kind: ConfigMap
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.shop.example}
spec:
  group: shop.example
  names: {kind: Lamp, plural: lamps}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          spec:
            type: object
            required: [watts]
            properties:
              watts: {type: integer, format: int32, minimum: 0, exclusiveMinimum: true}
              size: {x-kubernetes-int-or-string: true, pattern: '^[0-9]+m$'}
              seconds: {type: integer, format: int64}
              colour: {type: string, enum: [red, white], nullable: true}
              empty: {type: object}
              labels: {type: object, additionalProperties: {x-kubernetes-int-or-string: true}}
              free:
                type: object
                x-kubernetes-preserve-unknown-fields: true
                properties:
                  shut: {type: object, properties: {lit: {type: boolean}}}
              wires:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name, pole]
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {type: string}
                    pole: {type: string, default: plus}
"""


@pytest.fixture
def lamp(tmp_path):
    path = tmp_path / "lamp.yaml"
    path.write_text(LAMP)
    schema = validator(closed(crd_schema(path, "Lamp", "v1")))

    def errors(spec, **rest):
        made = {"apiVersion": "shop.example/v1", "kind": "Lamp", "metadata": {"name": "a"}}
        return [error.message for error in schema.iter_errors({**made, "spec": spec, **rest})]

    return errors


@pytest.mark.parametrize(
    "spec",
    [
        "watts: 60",
        "{watts: 60, size: 3, colour: null, labels: {any: thing, one: 1}, empty: {}}",
        "{watts: 60, size: 3m, colour: red, free: {anything: [1], shut: {lit: true}}}",
        "{watts: 2147483647, seconds: 9223372036854775807}",
        "{watts: 60, wires: [{name: a}, {name: a, pole: minus}, {name: b}]}",
    ],
)
def test_what_the_definition_allows(lamp, spec):
    assert lamp(yaml.safe_load(spec)) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{}", "'watts' is a required property"),
        ("{watts: '60'}", "'60' is not of type 'integer'"),
        ("{watts: true}", "True is not of type 'integer'"),
        ("{watts: 60.0}", "60.0 is not of type 'integer'"),
        ("{watts: 0}", "less than or equal to the minimum"),
        ("{watts: 2147483648}", "2147483648 is not a 'int32'"),
        ("{watts: 1, seconds: 9223372036854775808}", "9223372036854775808 is not a 'int64'"),
        ("{watts: 1, wats: 1}", "'wats' was unexpected"),
        ("{watts: 1, size: 3.5}", "3.5 is not of type 'integer', 'string'"),
        ("{watts: 1, size: 3km}", "'3km' does not match"),
        ("{watts: 1, colour: blue}", "'blue' is not one of"),
        ("{watts: null}", "None is not of type 'integer'"),
        ("{watts: 1, empty: {more: 1}}", "'more' was unexpected"),
        ("{watts: 1, labels: {one: 1.5}}", "1.5 is not of type 'integer', 'string'"),
        ("{watts: 1, free: {shut: {dim: true}}}", "'dim' was unexpected"),
        ("{watts: 1, wires: [{pole: plus}]}", "'name' is a required property"),
        ("{watts: 1, wires: [{name: a}, {name: a, pole: plus}]}", "is there twice"),
    ],
)
def test_what_it_does_not_allow(lamp, spec, message):
    (found,) = lamp(yaml.safe_load(spec))
    assert message in found


def test_kind_version_and_metadata(lamp):
    assert lamp({"watts": 1}, metadata={"name": "a", "labels": {"b": "c"}}) == []
    assert len(lamp({"watts": 1}, kind="Lantern", apiVersion="shop.example/v2")) == 2
    assert len(lamp({"watts": 1}, status={})) == 1


@pytest.mark.parametrize(("kind", "version"), [("Lamp", "v2"), ("Lantern", "v1")])
def test_a_file_without_the_definition(tmp_path, kind, version):
    path = tmp_path / "lamp.yaml"
    path.write_text(LAMP)
    with pytest.raises(ValueError, match=rf"lamp.yaml has no .* of {kind} in version {version}"):
        crd_schema(path, kind, version)
