"""kubeflow/submit.py with the real kfp client, against a test double of the API server."""

import importlib.util

import pytest
import yaml

from tests.helpers.repository import REPOSITORY
from tests.kubeflow.fake_pipelines_api import FakePipelinesApi

SCRIPT = REPOSITORY / "kubeflow" / "submit.py"


@pytest.fixture(scope="module")
def submit():
    spec = importlib.util.spec_from_file_location("submit", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def file(tmp_path):
    """Stands for a compiled pipeline: what the script and the client read of one."""
    path = tmp_path / "pipeline.yaml"
    parameters = {
        "events": {"parameterType": "STRING"},
        "seed": {"parameterType": "NUMBER_INTEGER"},
        "training_learning_rate": {"parameterType": "NUMBER_DOUBLE"},
        "encoder_trends": {"parameterType": "BOOLEAN"},
    }
    spec = {
        "pipelineInfo": {"name": "shop"},
        "root": {"inputDefinitions": {"parameters": parameters}},
    }
    path.write_text(yaml.safe_dump_all([spec, {"platforms": {"kubernetes": {}}}]))
    return path


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The client looks for its settings in the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KFP_TOKEN", raising=False)


def test_a_file_is_uploaded_once(submit, file, capsys):
    with FakePipelinesApi() as api:
        for _ in range(2):
            assert submit.main(["upload", str(file), "--host", api.url]) == 0
        (pipeline,) = api.pipelines.values()
        assert pipeline["display_name"] == "shop"
        assert len(api.uploaded) == 2  # the pipeline and its version
        assert b"pipelineInfo" in api.uploaded[0]
        assert b"platforms" in api.uploaded[1]
        file.write_text(file.read_text() + "# changed\n")
        assert submit.main(["upload", str(file), "--host", api.url]) == 0
        assert len(api.pipelines) == 1
        assert len(api.uploaded) == 3
    assert "pipeline shop, version shop-" in capsys.readouterr().out


def test_a_run_gets_typed_parameters_and_the_version(submit, file):
    with FakePipelinesApi() as api:
        code = submit.main(
            [
                *("run", str(file), "--host", api.url, "--experiment", "nightly"),
                *("-p", "events=gs://b/a=b.csv", "-p", "seed=7"),
                *("-p", "training_learning_rate=1e-3", "-p", "encoder_trends=false"),
                *("--pipeline-root", "minio://b/x", "--service-account", "shop"),
            ]
        )
        assert code == 0
        (run,) = api.runs.values()
        (experiment,) = api.experiments.values()
        assert experiment["display_name"] == "nightly"
        assert run["experiment_id"] == experiment["experiment_id"]
        assert run["runtime_config"] == {
            "pipeline_root": "minio://b/x",
            "parameters": {
                "events": "gs://b/a=b.csv",
                "seed": 7,
                "training_learning_rate": 0.001,
                "encoder_trends": False,
            },
        }
        assert run["service_account"] == "shop"
        version = run["pipeline_version_reference"]["pipeline_version_id"]
        assert api.versions[version]["display_name"].startswith("shop-")


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["PENDING", "RUNNING", "SUCCEEDED"], 0),
        (["RUNNING", "FAILED"], 1),
        (["CANCELED"], 1),
        (["RUNNING"], 4),
    ],
)
def test_waiting_ends_with_the_run(submit, file, states, code):
    with FakePipelinesApi(states) as api:
        arguments = ["run", str(file), "--host", api.url, "--wait", "--poll", "0.01"]
        assert submit.main([*arguments, "--timeout", "0.5"]) == code
        assert len(api.states) == 1


def test_a_recurring_run_takes_the_place_of_the_last(submit, file):
    with FakePipelinesApi() as api:
        for cron in ("0 0 3 * * *", "0 30 4 * * 1"):
            code = submit.main(
                ["schedule", str(file), "--host", api.url, "--cron", cron, "-p", "seed=2"]
            )
            assert code == 0
        (recurring,) = api.recurring.values()
        assert recurring["trigger"]["cron_schedule"]["cron"] == "0 30 4 * * 1"
        assert recurring["mode"] == "ENABLE"
        assert recurring["max_concurrency"] in (1, "1")
        assert recurring["no_catchup"] is True
        assert recurring["runtime_config"]["parameters"] == {"seed": 2}
        code = submit.main(
            [*("schedule", str(file), "--host", api.url), *("--cron", "0 0 3 * * *"),
             *("--name", "another")]
        )  # fmt: skip
        assert (code, len(api.recurring)) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "colour=red"], "no run parameter 'colour'; it has: encoder_trends, events, seed"),
        (["-p", "seed=7.5"], "must be NUMBER_INTEGER"),
        (["-p", "encoder_trends=yes"], "must be BOOLEAN"),
        (["-p", "seed"], "write it as name=value"),
    ],
)
def test_a_parameter_that_does_not_fit_starts_nothing(submit, file, arguments, message, capsys):
    with FakePipelinesApi() as api:
        assert submit.main(["run", str(file), "--host", api.url, *arguments]) == 2
        assert message in capsys.readouterr().err
        assert not api.runs
        assert not api.uploaded


def test_a_schedule_without_seconds_is_refused(submit, file, capsys):
    with FakePipelinesApi() as api:
        code = submit.main(["schedule", str(file), "--host", api.url, "--cron", "0 3 * * *"])
        assert code == 2
        assert "give 6 fields" in capsys.readouterr().err
        assert not api.recurring
        assert not api.uploaded


def test_what_is_no_pipeline_is_refused(submit, tmp_path, capsys):
    (tmp_path / "x.yaml").write_text("a: 1")
    for name, message in (("x.yaml", "is no compiled pipeline"), ("y.yaml", "cannot read")):
        assert submit.main(["upload", str(tmp_path / name), "--host", "http://127.0.0.1:1"]) == 2
        assert message in capsys.readouterr().err


def test_a_server_that_is_not_there_or_refuses_is_said(submit, file, capsys, monkeypatch):
    # The client asks five times, five seconds apart.
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert submit.main(["upload", str(file), "--host", "http://127.0.0.1:1"]) == 3
    assert "cannot reach Kubeflow Pipelines at http://127.0.0.1:1" in capsys.readouterr().err
    with FakePipelinesApi() as api:
        assert submit.main(["upload", str(file), "--host", f"{api.url}/elsewhere"]) == 3
