"""Tasks whose Beam workers are elsewhere: artifacts lie, and are named, where these reach them."""

import pytest

from tests.helpers.terminal import cohortrec
from tfx_pipeline.kubeflow.run_executor import _mounts

pytestmark = pytest.mark.slow

FLINK = [
    *("--preset", "flink", "--set", "beam.job_endpoint=server:8099"),
    *("--set", "beam.worker_image=shop/cohortrec:7"),
]


def _compile(tmp_path, *arguments):
    return cohortrec("compile", "--output", tmp_path / "p.yaml", *FLINK, *arguments)


@pytest.mark.parametrize("root", ["minio://bucket/runs", None])
def test_artifacts_must_lie_where_workers_reach_them(root, tmp_path):
    given = [f"--set=kubeflow.pipeline_root={root}"] if root else []
    answer = _compile(tmp_path, "--events", "gs://bucket/e.csv", *given)
    assert answer.code == 2
    assert "kubeflow.pipeline_root: workers of FlinkRunner" in answer.err


def test_the_runner_is_in_the_containers_arguments(tmp_path):
    answer = _compile(
        *(tmp_path, "--events", "gs://bucket/e.csv"),
        *("--set", "kubeflow.pipeline_root=gs://bucket/runs"),
    )
    assert answer.code == 0, answer
    text = (tmp_path / "p.yaml").read_text()
    assert "- --runner=FlinkRunner\n" in text
    assert "- --environment_config=shop/cohortrec:7\n" in text


def test_workers_elsewhere_get_the_names_of_the_bucket():
    assert set(_mounts(["--runner=FlinkRunner"])) == {"s3://", "minio://"}
    assert set(_mounts(["--direct_num_workers=2"])) == {"gs://", "s3://", "minio://"}
