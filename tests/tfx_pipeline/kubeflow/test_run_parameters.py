"""What a run may change, and that it reaches the executors and their cache keys, and no others."""

import json

import pytest

from tests.helpers.planted_shop import write_events
from tfx_pipeline.kubeflow.json_addresses import leaves, with_value
from tfx_pipeline.kubeflow.run_parameters import run_parameters
from tfx_pipeline.kubeflow.task_properties import execution_properties
from tfx_pipeline.paths.inputs import InputError
from tfx_pipeline.settings.run_config import load_config
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow


def _given(compiled, task, **run):
    """What a backend hands to a task: constants, and the run's parameters or their defaults."""
    root = compiled.spec["root"]
    declared = root["inputDefinitions"]["parameters"]
    values = {name: run.get(name, one["defaultValue"]) for name, one in declared.items()}
    inputs = root["dag"]["tasks"][task]["inputs"]["parameters"]
    return {
        name: values[given["componentInputParameter"]]
        if "componentInputParameter" in given
        else given["runtimeValue"]["constant"]
        for name, given in inputs.items()
    }


def _tasks_whose_key_changes(compiled, **run):
    """The backend's cache key holds the values of a task's parameters."""
    tasks = compiled.spec["root"]["dag"]["tasks"]
    return {task for task in tasks if _given(compiled, task) != _given(compiled, task, **run)}


def test_the_defaults_are_the_settings(compiled):
    declared = compiled.spec["root"]["inputDefinitions"]["parameters"]
    defaults = {name: (one["parameterType"], one["defaultValue"]) for name, one in declared.items()}
    assert defaults["events"] == ("STRING", "gs://bucket/events.csv")
    assert defaults["items"] == defaults["start_from"] == ("STRING", "")
    assert defaults["seed"] == ("NUMBER_INTEGER", 1)
    assert defaults["training_learning_rate"] == ("NUMBER_DOUBLE", 0.002)
    assert defaults["training_epochs"] == ("STRING", "auto")
    assert defaults["specialists_epochs"] == ("NUMBER_INTEGER", 6)
    assert defaults["gates_mode"] == ("STRING", "enforce")
    assert defaults["gates_max_loss"] == ("NUMBER_DOUBLE", 0.05)


def test_a_parameter_reaches_those_who_depend_on_it_and_the_report(compiled):
    changed = {
        "events": ({"BehaviorExampleGen"}, "gs://bucket/new.csv"),
        "start_from": ({"SequenceClusterer"}, "/mnt/shop/clusters"),
        "training_learning_rate": ({"Trainer-encoder"}, 0.001),
        "gates_max_loss": ({"Evaluator"}, 0.01),
        "data_max_bad_fraction": ({"BehaviorExampleGen"}, 0.5),
    }
    for parameter, (tasks, value) in changed.items():
        found = _tasks_whose_key_changes(compiled, **{parameter: value})
        assert found - {"RunReport"} == tasks, parameter
    trainers = {
        task
        for task in compiled.spec["root"]["dag"]["tasks"]
        if task.startswith("Trainer-") and task != "Trainer-encoder"
    }
    assert _tasks_whose_key_changes(compiled, specialists_epochs=2) == {*trainers, "RunReport"}
    assert _tasks_whose_key_changes(compiled, seed=7) == {
        *trainers,
        "BehaviorExampleGen",  # the order inside instants is drawn
        "Trainer-encoder",
        "SequenceClusterer",
        "ClusterCombiner",
        "RunReport",
    }


def test_the_task_of_a_run_reaches_all_who_must_agree_on_it():
    names = "kubeflow.parameters=[evaluation.task, evaluation.period_days]"
    asked = load_config([], None, [names], events=("e.csv",))
    evaluation = asked.evaluation.model_dump(mode="json")
    trainer = {"custom_config": json.dumps({"config": {"evaluation": evaluation}})}
    properties = {
        "BehaviorExampleGen": {"config": "{}", "evaluation": json.dumps(evaluation)},
        "Trainer.encoder": trainer,
        "ClusterCombiner": {"config": "{}", "evaluation": json.dumps(evaluation)},
        "Evaluator": {"eval_config": "{}"},
    }
    found = {p.name: p for p in run_parameters(asked, properties)}
    task, days = found["evaluation_task"], found["evaluation_period_days"]
    assert (task.type, task.default) == ("STRING", "auto")
    assert (days.type, days.default) == ("NUMBER_DOUBLE", 7.0)
    assert task.wires == {
        "BehaviorExampleGen": ["evaluation.task"],
        "Trainer.encoder": ["custom_config.config.evaluation.task"],
        "ClusterCombiner": ["evaluation.task"],
    }


def test_how_far_the_behaviour_head_looks_may_change_and_what_it_foresees_may_not():
    asked = load_config(
        [], None, ["kubeflow.parameters=[behavior_head.days]", "behavior_head.actions=[buy]"]
    )
    head = asked.behavior_head.to_json()
    properties = {"ClusterCombiner": {"config": "{}", "behavior_head": head}}
    found = {p.name: p for p in run_parameters(asked, properties)}
    assert found["behavior_head_days"].wires == {"ClusterCombiner": ["behavior_head.days"]}
    named = load_config([], None, ["kubeflow.parameters=[behavior_head.actions]"])
    with pytest.raises(ConfigError, match="it decides which artifacts there are"):
        run_parameters(named, properties)


def test_without_changes_the_executors_get_what_was_compiled(compiled):
    given = _given(compiled, "Trainer-encoder")
    found = execution_properties(given)
    assert json.loads(found["custom_config"]) == json.loads(given["custom_config"])
    assert set(found) == {name for name in given if "." not in name}


def test_the_executors_get_the_values_of_the_run(compiled):
    run = {"training_epochs": "3", "training_learning_rate": 0.001, "seed": 7}
    custom = json.loads(
        execution_properties(_given(compiled, "Trainer-encoder", **run))["custom_config"]
    )
    assert custom["config"]["training"]["epochs"] == 3
    assert custom["config"]["training"]["learning_rate"] == 0.001
    assert custom["seed"] == 7
    clusterer = execution_properties(_given(compiled, "SequenceClusterer", **run))
    assert json.loads(clusterer["config"])["seed"] == 7
    assert execution_properties(_given(compiled, "ClusterCombiner", **run))["seed"] == 7
    report = execution_properties(_given(compiled, "RunReport", **run))
    provenance = json.loads(report["provenance"])
    assert provenance["settings"]["training"]["epochs"] == 3
    assert provenance["seed"] == provenance["settings"]["clustering"]["seed"] == 7
    assert provenance["data"] == "unknown"


def test_the_thresholds_of_the_gates_are_those_of_the_run(compiled):
    given = {}

    def thresholds(**run):
        config = json.loads(
            execution_properties(_given(compiled, "Evaluator", **run))["eval_config"]
        )
        judged = {}
        for metric in config["metrics_specs"][0]["metrics"]:
            given[metric["class_name"]] = json.loads(metric["config"])
            for threshold in metric.get("per_slice_thresholds", []):
                judged[metric["class_name"]] = threshold["threshold"]
        return judged

    floor = thresholds()["HeldOutNDCG"]["value_threshold"]
    assert floor["lower_bound"] == 0.001
    changed = thresholds(gates_min_ndcg_at_10=0.05, gates_max_loss=0.02)
    assert changed["HeldOutNDCG"]["value_threshold"]["lower_bound"] == 0.05
    assert given["ChangeBeyondChance"]["max_loss"] == 0.02
    with pytest.raises(ConfigError, match="min_ndcg_at_10"):
        thresholds(gates_min_ndcg_at_10=2.0)


def test_the_files_of_a_run_are_looked_up_where_the_task_runs(compiled, tmp_path):
    write_events(tmp_path / "a.csv", users=2)
    write_events(tmp_path / "b.csv", users=2)

    def files(events):
        properties = execution_properties(_given(compiled, "BehaviorExampleGen", events=events))
        return json.loads(properties["input_files"])

    both = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert files(f"{tmp_path}/*.csv") == both
    assert files(json.dumps(both)) == both
    assert files("gs://bucket/x.csv") == ["gs://bucket/x.csv"]
    (found,) = files("package:tfx_pipeline/settings/presets/quick.yaml")
    assert found.endswith("/tfx_pipeline/settings/presets/quick.yaml")
    with pytest.raises(InputError, match=r"c\.csv"):
        files(f"{tmp_path}/c.csv")
    with pytest.raises(InputError, match="events: 's3://b/x.csv'.*copy it to the volume"):
        files("s3://b/x.csv")
    with pytest.raises(InputError, match="neither a path nor a JSON list"):
        files("['a.csv'")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.learing_rate", "did you mean 'training.learning_rate'"),
        ("run.max_clusters", "shapes the pipeline"),
        ("run.events", "is the run parameter `events` already"),
        ("combiner.controls", "decides which nodes there are"),
        ("serving.top_k", "several nodes"),
        ("kubeflow.image", "in the compiled file"),
        ("data.columns", "not a single value"),
        ("tuning.trials", "no node of this pipeline reads"),
    ],
)
def test_a_setting_that_cannot_change_between_runs_is_refused(setting, message):
    config = load_config([], None, [f"kubeflow.parameters=[{setting}]"], events=("e.csv",))
    with pytest.raises(ConfigError, match=message):
        run_parameters(config, {"Trainer.encoder": {}})


def test_addresses_step_into_json_inside_json():
    properties = {"a": json.dumps({"b": json.dumps({"c": 1}), "d": None}), "e": "text"}
    assert dict(leaves(properties)) == {"a.b.c": 1, "a.d": None, "e": "text"}
    changed = with_value(properties, "a.b.c", 2)
    assert dict(leaves(changed)) == {"a.b.c": 2, "a.d": None, "e": "text"}
    assert isinstance(json.loads(changed["a"])["b"], str)
    assert dict(leaves(properties))["a.b.c"] == 1
    with pytest.raises(KeyError, match=r"a\.x\.c"):
        with_value(properties, "a.x.c", 2)
