"""Input artifacts get back the types that the open-source backend does not hand on."""

import json

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as pb
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as tfx_entry

from components.artifacts import ClusterModel
from tfx_pipeline.kubeflow.artifact_types import restore_types

DECLARED = {
    "artifacts": {
        "clusters": {"artifactType": {"instanceSchema": "title: components.ClusterModel\n"}}
    }
}


@pytest.mark.parametrize(
    "lost", [{"instanceSchema": ""}, {"schemaTitle": "Artifact"}, None], ids=json.dumps
)
def test_tfx_can_make_its_artifacts(lost):
    artifact = {"name": "7", "uri": "/minio/bucket/clusters", **({"type": lost} if lost else {})}
    given = {"inputs": {"artifacts": {"clusters": {"artifacts": [artifact]}}}}
    restore_types(given, DECLARED)
    parsed = json_format.ParseDict(given, pb.ExecutorInput())
    [made] = tfx_entry.parse_raw_artifact_dict(parsed.inputs.artifacts)["clusters"]
    assert type(made) is ClusterModel
    assert made.uri == "/minio/bucket/clusters"


def test_tasks_without_inputs_are_left_alone():
    given = {"inputs": {"parameterValues": {"a": 1}}}
    restore_types(given, {})
    assert given == {"inputs": {"parameterValues": {"a": 1}}}
