"""The compiled pipeline, executed without a cluster: every task's own container command.

The backend is a test double (`kubeflow.backend`). What it hands to the tasks is what open-source
Kubeflow Pipelines would; the tasks are the real ones, each a process of its own. Some start Python
anew, as a container does. The others are forks of one that has imported the libraries already.
"""

import json

import pytest
import yaml

from tests.helpers.planted_shop import write_events, write_items
from tests.helpers.repository import REPOSITORY
from tests.helpers.terminal import cohortrec
from tests.tfx_pipeline.kubeflow.backend.backend import run_pipeline
from tests.tfx_pipeline.kubeflow.backend.launcher import TaskFailed, container_environment
from tests.tfx_pipeline.kubeflow.backend.warm_python import WarmPython

pytestmark = pytest.mark.e2e

TINY = """
run: {max_clusters: 2, shown_customers: 0}
data: {min_item_events: 1}
encoder: {width: 16, members: 1, layers: 1, feedforward: 32, max_events: 10}
content: {weights: none}
training: {epochs: 2, batch_size: 32, learning_rate: 0.01, validation_users: 100}
specialists: {epochs: 1, batch_size: 32, learning_rate: 0.01, min_samples: 50}
clustering: {k: 2}
combiner: {controls: false, steps: 50}
# So small a model is no better than counting what follows what.
gates: {mode: warn}
"""
TRAINERS = ["Trainer-cluster-0", "Trainer-cluster-1"]
FRESH = {"Transform", "Trainer-cluster-0", "Evaluator"}
"""Beam with our code, Keras, and a model that is loaded by a library: importing first what a task
does not import itself would change these."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    write_events(folder / "events.csv", users=120, events=12)
    write_items(folder / "items.csv")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


def _compile(shop, events):
    answer = cohortrec(
        *("compile", "--events", events, "--items", shop / "items.csv"),
        *("--config", shop / "tiny.yaml", "--output", shop / "pipeline.yaml"),
        *("--set", f"kubeflow.root={shop / 'volume'}"),
    )
    assert answer.code == 0, answer
    return shop / "pipeline.yaml"


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warm")
    with WarmPython(container_environment(REPOSITORY, folder), folder / "log") as python:
        yield python


@pytest.fixture(scope="module")
def executed(shop, warm):
    # The events are a run parameter: what was compiled in does not exist.
    pipeline = _compile(shop, "/no/such/events.csv")
    given = {"events": str(shop / "events.csv")}
    return run_pipeline(pipeline, shop / "backend", REPOSITORY, given, warm=warm, fresh=FRESH)


@pytest.fixture(scope="module")
def local(shop):
    answer = cohortrec(
        *("run", "--events", shop / "events.csv", "--items", shop / "items.csv"),
        *("--config", shop / "tiny.yaml", "--output", shop / "local"),
    )
    assert answer.code == 0, answer
    return shop / "local"


def _pushed(serving):
    [version] = [path for path in serving.iterdir() if path.name.isdigit()]
    return version


def test_a_failing_task_stops_the_run_with_its_reason(shop, warm):
    pipeline = _compile(shop, "/no/such/events.csv")
    with pytest.raises(TaskFailed, match=r"no file '/no/such/events\.csv'") as failed:
        run_pipeline(pipeline, shop / "failing", REPOSITORY, parallel=1, warm=warm)
    assert "task BehaviorExampleGen ended" in str(failed.value)
    assert [path.stem for path in (shop / "failing/logs").iterdir()] == ["BehaviorExampleGen"]


def test_all_tasks_run_to_the_pushed_model(shop, executed):
    tasks = yaml.safe_load((shop / "pipeline.yaml").read_text().split("\n---\n")[0])
    assert set(executed.seconds) == set(tasks["root"]["dag"]["tasks"])
    assert not executed.skipped
    assert (_pushed(shop / "volume/serving") / "saved_model.pb").is_file()
    assert (executed.artifact("Evaluator", "blessing") / "BLESSED").is_file()
    assert "<html" in (executed.artifact("RunReport", "report") / "index.html").read_text()


def test_trainers_of_clusters_run_side_by_side(executed):
    (start, end), (other_start, other_end) = (executed.seconds[name] for name in TRAINERS)
    assert max(start, other_start) < min(end, other_end)


def test_the_model_and_its_figures_are_those_of_a_local_run(shop, executed, local):
    models = [_pushed(folder / "serving") for folder in (shop / "volume", local)]
    here, there = (json.loads((model / "assets.extra/model.json").read_text()) for model in models)
    assert here == there
    [compared] = (local / "artifacts/ClusterCombiner/comparison").iterdir()
    executed_folder = executed.artifact("ClusterCombiner", "comparison")
    for name in ("comparison.json", "combination.json"):
        figures = [
            json.loads((folder / name).read_text()) for folder in (executed_folder, compared)
        ]
        assert figures[0] == figures[1]


@pytest.mark.parametrize("history", ["tea-03,tea-04,tea-05", ""])
def test_the_pushed_model_answers_as_the_local_one(history, shop, executed, local):
    answers = [
        cohortrec("recommend", "--model", folder / "serving", "--history", history)
        for folder in (shop / "volume", local)
    ]
    assert answers[0].code == 0, answers[0]
    assert answers[0] == answers[1]
