"""The compiled pipeline: every node, the right image, and BaselineModel never cached."""

from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

import tfx_pipeline
from tests.tfx_pipeline.planted_shop import write_events
from tests.tfx_pipeline.terminal import cohortrec


def _compile(path, *arguments):
    answer = cohortrec("compile", "--output", path, *arguments)
    assert answer.code == 0, answer
    return yaml.safe_load(path.read_text())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kubeflow")
    events = write_events(folder / "events.csv", users=5)
    return _compile(
        folder / "deep" / "pipeline.yaml",
        *("--events", events),
        *("--set", "run.max_clusters=2"),
        *("--set", "kubeflow.image=shop/cohortrec:7"),
        *("--set", "kubeflow.root=gs://bucket/shop"),
    )


def test_every_node_is_a_task(compiled):
    assert set(compiled["root"]["dag"]["tasks"]) == {
        "BehaviorExampleGen",
        "ItemContentEncoder",
        "StatisticsGen",
        "CuratedSchema",
        "ExampleValidator",
        "Transform",
        "Trainer.encoder",
        "SequenceClusterer",
        "Trainer.cluster_0",
        "Trainer.cluster_1",
        "Trainer.random_0",
        "Trainer.random_1",
        "Trainer.continued",
        "ClusterCombiner",
        "BaselineModel",
        "Evaluator",
        "Pusher",
        "RunReport",
    }


def test_only_baseline_model_is_never_cached(compiled):
    tasks = compiled["root"]["dag"]["tasks"]
    uncached = [
        name
        for name, task in tasks.items()
        if not task.get("cachingOptions", {}).get("enableCache")
    ]
    assert uncached == ["BaselineModel"]


def test_image_and_root_come_from_the_settings(compiled):
    executors = compiled["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {"shop/cohortrec:7"}
    text = yaml.safe_dump(compiled)
    assert "gs://bucket/shop/serving" in text
    assert str(Path(tfx_pipeline.__file__).parent.parent) not in text


def test_the_order_holds_training_back_until_the_data_is_checked(compiled):
    assert "ExampleValidator" in compiled["root"]["dag"]["tasks"]["Transform"]["dependentTasks"]


def test_the_item_texts_reach_the_encoder_as_its_base_model(compiled):
    tasks = compiled["root"]["dag"]["tasks"]
    source = tasks["Trainer.encoder"]["inputs"]["artifacts"]["base_model"]["taskOutputArtifact"]
    assert source == {"outputArtifactKey": "content", "producerTask": "ItemContentEncoder"}
    assert "gs://bucket/shop/content/" in yaml.safe_dump(tasks["ItemContentEncoder"])


def test_the_control_trained_on_reads_all_clusters(compiled):
    tasks = compiled["root"]["dag"]["tasks"]
    splits = yaml.safe_dump(tasks["Trainer.continued"]["inputs"]["parameters"]["train_args"])
    assert "cluster_0_train" in splits and "cluster_1_train" in splits
    splits = yaml.safe_dump(tasks["Trainer.random_1"]["inputs"]["parameters"]["train_args"])
    assert "random_1_train" in splits


@pytest.mark.parametrize(
    ("setting", "clusters"), [("combiner.controls=false", 4), ("run.max_clusters=1", 1)]
)
def test_without_controls_there_are_none(setting, clusters, tmp_path):
    tasks = _compile(tmp_path / "p.yaml", *("--events", "gs://bucket/*.csv", "--set", setting))[
        "root"
    ]["dag"]["tasks"]
    assert {name for name in tasks if name.startswith("Trainer.")} == {
        "Trainer.encoder",
        *(f"Trainer.cluster_{k}" for k in range(clusters)),
    }


def test_the_search_for_hyper_parameters_comes_before_the_trainers(compiled, tmp_path):
    assert "Tuner.encoder" not in compiled["root"]["dag"]["tasks"]
    tuned = _compile(
        tmp_path / "p.yaml",
        *("--events", "gs://bucket/*.csv", "--set", "run.max_clusters=1"),
        *("--set", "tuning.enabled=true", "--set", "tuning.trials=5"),
    )
    tasks = tuned["root"]["dag"]["tasks"]
    found = {"outputArtifactKey": "best_hyperparameters", "producerTask": "Tuner.encoder"}
    for trainer in ("Trainer.encoder", "Trainer.cluster_0"):
        source = tasks[trainer]["inputs"]["artifacts"]["hyperparameters"]["taskOutputArtifact"]
        assert source == found
        assert "Tuner.encoder" in tasks[trainer]["dependentTasks"]
    values = tasks["Tuner.encoder"]["inputs"]["parameters"]
    assert "trainer.tuner.tuner_fn" in yaml.safe_dump(values["tuner_fn"])
    assert '"trials": 5' in yaml.safe_dump(values["custom_config"], width=10_000)
    assert tasks["Tuner.encoder"]["cachingOptions"]["enableCache"]


def test_weights_that_only_the_cluster_has_can_be_named(tmp_path):
    tasks = _compile(
        tmp_path / "p.yaml",
        *("--events", "gs://bucket/*.csv", "--set", "content.weights=/mnt/models/bert"),
    )["root"]["dag"]["tasks"]
    assert "/mnt/models/bert" in yaml.safe_dump(tasks["ItemContentEncoder"])


def test_files_out_of_reach_are_not_cached_by_content(tmp_path):
    tasks = _compile(tmp_path / "p.yaml", "--events", "gs://bucket/*.csv")["root"]["dag"]["tasks"]
    assert "enableCache" not in tasks["BehaviorExampleGen"].get("cachingOptions", {})
    assert tasks["Transform"]["cachingOptions"]["enableCache"]


def test_labels_reach_the_clusterer_and_its_cache(compiled, tmp_path):
    def clusterer(labels):
        tasks = _compile(
            tmp_path / "p.yaml", "--events", "gs://b/*.csv", "--set", f"clustering.labels={labels}"
        )["root"]["dag"]["tasks"]
        return tasks["SequenceClusterer"]

    def parameter(task, name):
        return task["inputs"]["parameters"][name]["runtimeValue"]["constantValue"]["stringValue"]

    plain = compiled["root"]["dag"]["tasks"]["SequenceClusterer"]
    assert parameter(plain, "labels_file") == parameter(plain, "labels_fingerprint") == ""
    labels = tmp_path / "labels.csv"
    fingerprints = set()
    for content in ("user_id,age\n", "user_id,income\n"):
        labels.write_text(content)
        task = clusterer(labels)
        assert parameter(task, "labels_file") == str(labels)
        assert task["cachingOptions"]["enableCache"]
        fingerprints.add(parameter(task, "labels_fingerprint"))
    assert len(fingerprints - {"unknown"}) == 2
    remote = clusterer("gs://b/labels.csv")
    assert parameter(remote, "labels_file") == "gs://b/labels.csv"
    assert "enableCache" not in remote.get("cachingOptions", {})


def test_who_starts_a_run_says_which_clusters_it_goes_on_from(compiled, tmp_path):
    """The compiled pipeline cannot know which run will be the last one."""
    json_format.ParseDict(compiled, pipeline_spec_pb2.PipelineSpec())
    (declared,) = compiled["root"]["inputDefinitions"]["parameters"].items()
    assert declared == (
        "start_from",
        {"parameterType": "STRING", "defaultValue": "", "isOptional": True},
    )
    task = compiled["root"]["dag"]["tasks"]["SequenceClusterer"]
    given = task["inputs"]["parameters"]["start_from"]
    assert given == {"componentInputParameter": "start_from"}
    assert task["cachingOptions"]["enableCache"]
    for setting, folder in (("none", ""), ("gs://bucket/clusters/7", "gs://bucket/clusters/7")):
        spec = _compile(
            *(tmp_path / "p.yaml", "--events", "gs://b/*.csv"),
            *("--set", f"clustering.start_from={setting}"),
        )
        assert "inputDefinitions" not in spec["root"]
        task = spec["root"]["dag"]["tasks"]["SequenceClusterer"]
        given = task["inputs"]["parameters"]["start_from"]["runtimeValue"]["constantValue"]
        assert given["stringValue"] == folder


def test_wrong_names_are_refused(tmp_path):
    answer = cohortrec("compile", "--output", tmp_path / "p.json", "--events", "gs://b/e.csv")
    assert answer.code == 2
    assert "must end in .yaml" in answer.err
    answer = cohortrec("compile", "--output", tmp_path / "p.yaml")
    assert answer.code == 2
    assert "no event files given" in answer.err


def test_kubeflow_can_import_our_artifact_types(compiled):
    from tfx.utils.import_utils import import_class_by_path

    titles = {
        artifact["artifactType"]["instanceSchema"].split("title: ")[1].split("\n")[0]
        for component in compiled["components"].values()
        for artifact in component.get("outputDefinitions", {}).get("artifacts", {}).values()
        if "instanceSchema" in artifact["artifactType"]
    }
    own = {title for title in titles if title.startswith("components.")}
    assert len(own) == 6
    for title in sorted(own):
        assert title == import_class_by_path(title).TYPE_NAME
