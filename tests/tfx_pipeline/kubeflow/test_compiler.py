"""The compiled pipeline: every node, where it runs, and what a run may change."""

import json
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

import tfx_pipeline
from tests.helpers.planted_shop import write_events
from tests.helpers.terminal import cohortrec
from tfx_pipeline.kubeflow.check.graph import upstream

pytestmark = pytest.mark.slow

FEW_NODES = ("--set", "run.max_clusters=1")
"""Compiled in half the time, where the clusters are not what is tested."""


def _compile(path, *arguments):
    answer = cohortrec("compile", "--output", path, *arguments)
    assert answer.code == 0, answer
    return yaml.safe_load(path.read_text())


def _tasks(spec):
    return spec["root"]["dag"]["tasks"]


def _constant(task, name):
    return task["inputs"]["parameters"][name]["runtimeValue"]["constant"]


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kubeflow")
    events = write_events(folder / "events.csv", users=5)
    return _compile(
        folder / "deep" / "pipeline.yaml",
        *("--events", events),
        *("--set", "run.max_clusters=2"),
        *("--set", "kubeflow.image=shop/cohortrec:7"),
        *("--set", "kubeflow.root=gs://bucket/shop"),
        *("--set", "kubeflow.pipeline_root=minio://mlpipeline/shop"),
    )


def test_every_node_is_a_task(spec):
    assert set(_tasks(spec)) == {
        "BehaviorExampleGen",
        "ItemContentEncoder",
        "StatisticsGen",
        "CuratedSchema",
        "ExampleValidator",
        "Transform",
        "Trainer-encoder",
        "SequenceClusterer",
        "Trainer-cluster-0",
        "Trainer-cluster-1",
        "Trainer-random-0",
        "Trainer-random-1",
        "Trainer-continued",
        "ClusterCombiner",
        "BaselineModel",
        "Evaluator",
        "Pusher",
        "RunReport",
    }
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())


def test_the_backend_takes_this_schema_only(spec):
    assert spec["schemaVersion"] == "2.1.0"
    assert "constantValue" not in yaml.safe_dump(spec)


def test_trainers_of_clusters_and_controls_do_not_wait_for_each_other(spec):
    fan_out = {name for name in _tasks(spec) if name.startswith("Trainer-")} - {"Trainer-encoder"}
    assert len(fan_out) == 5
    for name in fan_out:
        waiting, before = upstream(_tasks(spec)[name]), set()
        while waiting:
            before |= waiting
            waiting = {above for task in waiting for above in upstream(_tasks(spec)[task])} - before
        assert not before & fan_out, name
        assert "SequenceClusterer" in before


def test_image_and_roots_come_from_the_settings(spec):
    containers = [one["container"] for one in spec["deploymentSpec"]["executors"].values()]
    assert {container["image"] for container in containers} == {"shop/cohortrec:7"}
    assert {tuple(container["command"]) for container in containers} == {
        ("python", "-m", "tfx_pipeline.kubeflow.run_executor")
    }
    assert spec["defaultPipelineRoot"] == "minio://mlpipeline/shop"
    text = yaml.safe_dump(spec)
    assert "gs://bucket/shop/serving" in text
    assert str(Path(tfx_pipeline.__file__).parent.parent) not in text


def test_checkpoints_are_in_a_folder_even_where_the_root_is_a_bucket(spec, compiled):
    def checkpoints(tasks):
        return json.loads(_constant(tasks["Trainer-encoder"], "custom_config"))["checkpoint_root"]

    assert checkpoints(_tasks(spec)).startswith("/tmp/cohortrec/checkpoints/")
    assert checkpoints(_tasks(compiled.spec)).startswith("/mnt/shop/checkpoints/")


def test_the_order_holds_training_back_until_the_data_is_checked(spec):
    assert "ExampleValidator" in _tasks(spec)["Transform"]["dependentTasks"]


def test_the_item_texts_reach_the_encoder_as_its_base_model(spec):
    source = _tasks(spec)["Trainer-encoder"]["inputs"]["artifacts"]["base_model"]
    assert source["taskOutputArtifact"] == {
        "outputArtifactKey": "content",
        "producerTask": "ItemContentEncoder",
    }
    assert "gs://bucket/shop/content/" in yaml.safe_dump(_tasks(spec)["ItemContentEncoder"])


def test_the_pusher_knows_what_the_model_was_compared_with(spec):
    given = _tasks(spec)["Pusher"]["inputs"]["artifacts"]
    compared = _tasks(spec)["Evaluator"]["inputs"]["artifacts"]["baseline_model"]
    assert given["baseline_model"] == compared
    assert compared["taskOutputArtifact"]["producerTask"] == "BaselineModel"
    assert "BaselineModel" in _tasks(spec)["Pusher"]["dependentTasks"]


def test_the_control_trained_on_reads_all_clusters(spec):
    splits = _constant(_tasks(spec)["Trainer-continued"], "train_args")
    assert "cluster_0_train" in splits
    assert "cluster_1_train" in splits
    assert "random_1_train" in _constant(_tasks(spec)["Trainer-random-1"], "train_args")


@pytest.mark.parametrize(
    ("setting", "clusters"), [("combiner.controls=false", 4), ("run.max_clusters=1", 1)]
)
def test_without_controls_there_are_none(setting, clusters, tmp_path):
    spec = _compile(tmp_path / "p.yaml", *("--events", "gs://bucket/*.csv", "--set", setting))
    assert {name for name in _tasks(spec) if name.startswith("Trainer-")} == {
        "Trainer-encoder",
        *(f"Trainer-cluster-{k}" for k in range(clusters)),
    }


def test_the_search_for_hyper_parameters_comes_before_the_trainers(spec, tmp_path):
    assert "Tuner-encoder" not in _tasks(spec)
    tuned = _compile(
        tmp_path / "p.yaml",
        *("--events", "gs://bucket/*.csv", *FEW_NODES),
        *("--set", "tuning.enabled=true", "--set", "tuning.trials=5"),
        *("--set", "kubeflow.parameters=[training.epochs, tuning.trials]"),
    )
    tasks = _tasks(tuned)
    found = {"outputArtifactKey": "best_hyperparameters", "producerTask": "Tuner-encoder"}
    for trainer in ("Trainer-encoder", "Trainer-cluster-0"):
        source = tasks[trainer]["inputs"]["artifacts"]["hyperparameters"]["taskOutputArtifact"]
        assert source == found
        assert "Tuner-encoder" in tasks[trainer]["dependentTasks"]
    values = tasks["Tuner-encoder"]["inputs"]["parameters"]
    assert _constant(tasks["Tuner-encoder"], "tuner_fn") == "trainer.tuner.tuner_fn"
    for setting, parameter in (
        ("training.epochs", "training_epochs"),
        ("tuning.trials", "tuning_trials"),
    ):
        wire = values[f"custom_config.config.{setting}"]
        assert wire == {"componentInputParameter": parameter}


def test_weights_that_only_the_cluster_has_can_be_named(tmp_path):
    tasks = _tasks(
        _compile(
            tmp_path / "p.yaml",
            *("--events", "gs://bucket/*.csv", *FEW_NODES),
            *("--set", "content.weights=/mnt/models/bert"),
        )
    )
    assert "/mnt/models/bert" in _constant(tasks["ItemContentEncoder"], "config")


def test_labels_reach_the_clusterer_which_then_reads_a_file(compiled, tmp_path):
    plain = _tasks(compiled.spec)["SequenceClusterer"]
    assert _constant(plain, "labels_file") == _constant(plain, "labels_fingerprint") == ""
    assert plain["cachingOptions"]["enableCache"]
    tasks = _tasks(
        _compile(
            tmp_path / "p.yaml",
            *("--events", "gs://b/*.csv", *FEW_NODES),
            *("--set", "clustering.labels=gs://b/labels.csv"),
        )
    )
    assert _constant(tasks["SequenceClusterer"], "labels_file") == "gs://b/labels.csv"
    assert "enableCache" not in tasks["SequenceClusterer"]["cachingOptions"]


def test_a_folder_to_start_from_can_be_compiled_in(tmp_path):
    for setting, folder in (("none", ""), ("gs://bucket/clusters/7", "gs://bucket/clusters/7")):
        spec = _compile(
            *(tmp_path / "p.yaml", "--events", "gs://b/*.csv", *FEW_NODES),
            *("--set", f"clustering.start_from={setting}"),
        )
        assert "start_from" not in spec["root"]["inputDefinitions"]["parameters"]
        assert _constant(_tasks(spec)["SequenceClusterer"], "start_from") == folder


def test_what_a_task_cannot_read_or_write_is_refused(tmp_path):
    def refused(*arguments):
        answer = cohortrec("compile", "--output", tmp_path / "p.yaml", *arguments)
        assert answer.code == 2, answer
        return answer.err

    assert "must end in .yaml" in refused("--output", tmp_path / "p.json", "--events", "gs://b/e")
    assert "no event files given" in refused()
    assert "no file system for s3:// in the tasks" in refused("--events", "s3://bucket/e.csv")
    message = refused("--events", "gs://b/e", "--set", "kubeflow.root=minio://bucket/shop")
    assert "kubeflow.root" in message
    assert "kubeflow.volume_claim" in message
    assert "absolute" in refused("--events", "gs://b/e", "--set", "kubeflow.root=out")
    message = refused("--events", "gs://b/e", "--set", "kubeflow.pipeline_root=/mnt/artifacts")
    assert "gs://, s3://, minio:// only" in message
    message = refused(
        *("--events", "gs://b/e", "--set", "kubeflow.root=gs://bucket"),
        *("--set", "kubeflow.volume_claim=shop"),
    )
    assert "must be a folder" in message
    assert "minio://b/clusters" in refused(
        "--events", "gs://b/e", "--set", "clustering.start_from=minio://b/clusters"
    )


def test_kubeflow_can_import_our_artifact_types(spec):
    from tfx.utils.import_utils import import_class_by_path

    titles = {
        artifact["artifactType"]["instanceSchema"].split("title: ")[1].split("\n")[0]
        for component in spec["components"].values()
        for artifact in component.get("outputDefinitions", {}).get("artifacts", {}).values()
        if "instanceSchema" in artifact["artifactType"]
    }
    own = {title for title in titles if title.startswith("components.")}
    assert len(own) == 6
    for title in sorted(own):
        assert title == import_class_by_path(title).TYPE_NAME


def test_the_combiner_reads_what_follows_the_moments_only_with_a_behaviour_head(spec, tmp_path):
    told = _compile(
        *(tmp_path / "p.yaml", "--events", "gs://b/*.csv", *FEW_NODES),
        *("--set", "behavior_head.actions=[buy]"),
    )
    artifacts = _tasks(told)["ClusterCombiner"]["inputs"]["artifacts"]
    assert artifacts["later_events"]["taskOutputArtifact"] == {
        "producerTask": "BehaviorExampleGen",
        "outputArtifactKey": "later_events",
    }
    assert _constant(_tasks(told)["BehaviorExampleGen"], "behavior_actions") == '["buy"]'
    assert "later_events" not in _tasks(spec)["ClusterCombiner"]["inputs"]["artifacts"]
