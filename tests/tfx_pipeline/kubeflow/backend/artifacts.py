"""Output artifacts on their way to the next task, as the (doubled) backend's records hold them.

The backend keeps artifacts in ML Metadata and makes a consumer's input from the record. All numbers
are floats then, nothing tells properties from custom properties, and the type is lost: the input
says `instanceSchema: ""`. Releases without ML Metadata say `schemaTitle: Artifact` instead.
"""

from __future__ import annotations

import itertools
from typing import Literal

from google.protobuf import struct_pb2
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

from tests.tfx_pipeline.kubeflow.backend.specification import Refused

Types = Literal["lost", "generic"]


class Records:
    """Artifacts of a run, by task and output."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._records: dict[tuple[str, str], pb.RuntimeArtifact] = {}
        self._ids = itertools.count(1)

    def publish(
        self, task: str, provisioned: pb.ExecutorInput.Outputs, written: pb.ExecutorOutput
    ) -> None:
        """Records what a task was given for its outputs, and what it wrote about them."""
        unknown = set(written.artifacts) - set(provisioned.artifacts)
        if unknown:
            raise Refused(f"task {task} wrote artifacts that it does not have: {sorted(unknown)}")
        for name, listed in provisioned.artifacts.items():
            artifact = listed.artifacts[0]
            metadata = dict(artifact.metadata.fields)
            if name in written.artifacts:
                told = written.artifacts[name].artifacts[0]
                if told.uri:
                    artifact.uri = told.uri
                metadata.update(told.metadata.fields)
            record = pb.RuntimeArtifact(name=str(next(self._ids)), uri=artifact.uri)
            for key, value in metadata.items():
                record.metadata.fields[key].CopyFrom(_recorded(value, f"{task}.{name}: {key}"))
            for key, text in (("display_name", name), ("store_session_info", "{}")):
                if key not in metadata:
                    record.metadata.fields[key].string_value = text
            self._records[task, name] = record

    def as_input(self, task: str, name: str) -> pb.RuntimeArtifact:
        """What a consumer gets of an output."""
        if (task, name) not in self._records:
            raise Refused(f"task {task} has no output {name}")
        artifact = pb.RuntimeArtifact()
        artifact.CopyFrom(self._records[task, name])
        if self._types == "lost":
            artifact.type.instance_schema = ""
        else:
            artifact.type.schema_title = "Artifact"
        return artifact

    def uri(self, task: str, name: str) -> str:
        """URI of an output."""
        return self._records[task, name].uri


def _recorded(value: struct_pb2.Value, what: str) -> struct_pb2.Value:
    """A metadata value after a way through ML Metadata."""
    kind = value.WhichOneof("kind")
    if kind == "bool_value":
        return struct_pb2.Value(number_value=float(value.bool_value))
    if kind == "list_value":
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields={"list": value}))
    if kind == "struct_value":
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields={"struct": value}))
    if kind not in ("string_value", "number_value"):
        raise Refused(f"{what}: the backend cannot record a {kind}")
    return value
