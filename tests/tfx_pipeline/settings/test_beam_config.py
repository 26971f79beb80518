"""Beam settings: every runner gets what it needs, or it is told before TensorFlow loads."""

import subprocess
import sys

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner

from tests.helpers.terminal import cohortrec
from tfx_pipeline.settings.run_config import load_config
from trainer.settings import ConfigError

DATAFLOW = {
    "runner": "DataflowRunner",
    "project": "shop",
    "region": "europe-west1",
    "temp_location": "gs://bucket/tmp",
    "worker_image": "shop/cohortrec:7",
}
FLINK = {
    "runner": "FlinkRunner",
    "flink_master": "jobmanager:8081",
    "job_server_jar": "/opt/flink-job-server.jar",
    "environment_type": "DOCKER",
    "worker_image": "shop/cohortrec:7",
}
SPARK = {
    "runner": "SparkRunner",
    "job_endpoint": "spark-job-server:8099",
    "environment_type": "EXTERNAL",
    "environment_config": "localhost:50000",
}
PORTABLE = {**SPARK, "runner": "PortableRunner"}


def _beam(values):
    return load_config(overrides=[f"beam.{name}={value}" for name, value in values.items()]).beam


@pytest.mark.parametrize("values", [DATAFLOW, FLINK, SPARK, PORTABLE])
def test_beam_understands_the_arguments(values):
    arguments = _beam(values).pipeline_args()
    options = PipelineOptions(arguments).get_all_options()
    assert options.pop("runner") == values["runner"]
    expected = {name: value for name, value in values.items() if name != "runner"}
    for ours, beams in (
        ("worker_image", "sdk_container_image"),
        ("job_server_jar", "flink_job_server_jar"),
    ):
        if ours in expected:
            expected[beams] = expected.pop(ours)
    assert {name: options[name] for name in expected} == expected
    assert type(create_runner(values["runner"])).__name__ == values["runner"]


def test_workers_of_flink_run_the_image():
    from apache_beam.transforms.environments import DockerEnvironment

    runner = create_runner("FlinkRunner")
    environment = runner.default_environment(PipelineOptions(_beam(FLINK).pipeline_args()))
    assert isinstance(environment, DockerEnvironment)
    assert environment.container_image == "shop/cohortrec:7"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("flink", "FlinkRunner"),
        ("DataFlowRunner", "DataflowRunner"),
        ("SparcRunner", "SparkRunner"),
        ("Local", "known: DirectRunner, DataflowRunner"),
    ],
)
def test_an_unknown_runner_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(ConfigError, match=r"'beam\.runner'.*unknown Beam runner") as error:
        _beam({"runner": name})
    assert nearest in str(error.value)


@pytest.mark.parametrize(
    ("values", "lacking", "message"),
    [
        (DATAFLOW, "project", "DataflowRunner needs beam.project$"),
        (DATAFLOW, "region", "DataflowRunner needs beam.region$"),
        (DATAFLOW, "temp_location", "DataflowRunner needs beam.temp_location$"),
        (DATAFLOW, "worker_image", "beam.worker_image .*or beam.setup_file"),
        (FLINK, "flink_master", "FlinkRunner needs beam.flink_master"),
        (FLINK, "job_server_jar", "FlinkRunner needs beam.job_endpoint .*or beam.job_server_jar"),
        (FLINK, "worker_image", "workers of FlinkRunner need this project's code"),
        (SPARK, "job_endpoint", "SparkRunner needs beam.spark_master"),
        (SPARK, "environment_config", "EXTERNAL needs beam.environment_config"),
        (PORTABLE, "job_endpoint", "PortableRunner needs beam.job_endpoint"),
    ],
)
def test_what_a_runner_lacks_is_told(values, lacking, message):
    _beam(values)
    with pytest.raises(ConfigError, match=message):
        _beam({name: value for name, value in values.items() if name != lacking})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({**DATAFLOW, "temp_location": "/tmp/beam"}, "needs a gs:// folder, not '/tmp/beam'"),
        ({**DATAFLOW, "setup_file": "no/setup.py"}, "no file 'no/setup.py'"),
        ({**FLINK, "project": "shop"}, "'beam.project' is for DataflowRunner; .*FlinkRunner"),
        ({"flink_master": "[local]"}, "'beam.flink_master' is for FlinkRunner; .*DirectRunner"),
        ({**SPARK, "direct_num_workers": 4}, "'beam.direct_num_workers' is for DirectRunner"),
    ],
)
def test_what_does_not_fit_is_told(values, message):
    with pytest.raises(ConfigError, match=message):
        _beam(values)


def test_a_cluster_in_the_job_server_needs_no_image():
    local = {name: value for name, value in FLINK.items() if name != "worker_image"}
    del local["environment_type"]
    assert _beam({**local, "flink_master": "[local]"}).distributed


def test_presets_are_combined():
    given = [
        "beam.job_endpoint=flink-job-server:8099",
        "beam.worker_image=shop/cohortrec:7",
    ]
    config = load_config(["complete_journey", "flink"], overrides=given)
    assert config.beam.runner == "FlinkRunner"
    assert config.data == load_config(["complete_journey"]).data
    with pytest.raises(ConfigError, match="DataflowRunner needs beam.project, beam.region"):
        load_config(["complete_journey", "dataflow"])


def test_a_local_run_is_out_of_reach_of_dataflow(tmp_path):
    (tmp_path / "events.csv").write_text("user_id,item_id,timestamp\na,b,1\n")
    given = [f"--set=beam.{name}={value}" for name, value in DATAFLOW.items()]
    answer = cohortrec(
        "run", "--events", tmp_path / "events.csv", "--output", tmp_path / "out", *given
    )
    assert answer.code == 2
    assert "workers of DataflowRunner see no folder of this machine" in answer.err


def test_faults_are_found_before_tensorflow_loads():
    code = (
        "import sys\n"
        "from tfx_pipeline.cli import main\n"
        "code = main(['run', '--events', 'e.csv', '--output', 'o', '--preset', 'dataflow'])\n"
        "sys.exit(code if 'tensorflow' not in sys.modules else 99)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 2, ended
    assert ended.stderr.startswith("cohortrec: DataflowRunner needs beam.project")
