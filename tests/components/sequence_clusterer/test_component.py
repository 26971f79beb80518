"""SequenceClusterer as a whole, with a small encoder that counts what it is shown."""

import pickle

import apache_beam as beam
import numpy as np
import polars as pl
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.channel_utils import as_channel

from components.sequence_clusterer.assignment.assignment import output_splits, write_cluster_splits
from components.sequence_clusterer.assignment.segments import cut_segments, visible_history
from components.sequence_clusterer.assignment.split_writer import name_shards
from components.sequence_clusterer.component import SequenceClusterer
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.errors import ClusteringError
from components.sequence_clusterer.sample.embedding import SavedEncoder, split_files
from tests.helpers.clusterer_runs import (
    BUCKETS,
    GROUPS,
    history,
    integer,
    items_of,
    planted,
    read,
    run,
    save_encoder,
    user_of,
    write_examples,
)
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("encoder")
    save_encoder(directory)
    return directory


@pytest.fixture(scope="module")
def result(tmp_path_factory, encoder):
    titles = pl.DataFrame({"item_id": ["tea0", "tea1"], "title": ["Green tea", "Black tea"]})
    return run(tmp_path_factory.mktemp("planted"), encoder, planted(), items=titles)


def test_recovers_the_planted_groups(result):
    assert result.clusters.get_int_custom_property("clusters") == 3
    assert result.evaluation["chosen_k"] == 3
    assert result.evaluation["k_from"] == "separation"
    assert result.evaluation["clusters_found"] is True
    assert result.evaluation["sizes"] == [40, 40, 40]
    assert (result.evaluation["users"], result.evaluation["sampled"]) == (120, 120)
    for k in range(3):
        groups = {items_of(e)[0][:3] for e in result.records(f"cluster_{k}_train")}
        assert len(groups) == 1


def test_writes_every_split(result):
    assert result.splits == ["validation", "test"] + [
        f"cluster_{k}_{kind}" for k in range(4) for kind in ("train", "validation")
    ]
    assert len(result.records("validation")) == len(result.records("test")) == 120
    assert [len(result.records(f"cluster_{k}_validation")) for k in range(4)] == [40] * 3 + [0]
    # 8 events: segments 1-2, 2-4, 4-8
    assert [len(result.records(f"cluster_{k}_train")) for k in range(4)] == [120] * 3 + [0]


def test_examples_carry_their_cluster(result):
    for k in range(3):
        for example in result.records(f"cluster_{k}_train"):
            assert integer(example, "cluster_id") == k
            start = integer(example, "first_target")
            assert (start, len(items_of(example))) in [(1, 2), (2, 4), (4, 8)]
    for split in ("validation", "test"):
        for example in result.records(split):
            assert example.features.feature["target_item_ids"].bytes_list.value
            assert integer(example, "cluster_id") in range(3)


def test_the_cluster_model_says_how_to_assign(result):
    assert result.geometry.rule.prototypes.shape == (3, BUCKETS)
    assert result.geometry.rule.prototypes.dtype == np.float32
    assert result.description["preprocess"] == {"normalize": True, "pca": None}
    assert result.description["rule"]["kind"] == "nearest_prototype"
    assert result.description["representation"] == "last_state"
    assert result.description["algorithm"] == "kmeans"
    assert result.description["sizes"] == [40, 40, 40]
    assert result.description["rule"]["temperature"] > 0


def test_evaluation_and_map(result):
    assert [row["k"] for row in result.evaluation["by_k"]] == [1, 2, 3]  # three distinct users
    assert result.evaluation["by_k"][2]["silhouette"] == pytest.approx(1.0)
    assert result.evaluation["representation"] == "last_state"
    assert (result.evaluation["rule_agreement"], result.evaluation["noise"]) == (1.0, 0)
    assert result.map.columns == ["x", "y", "cluster"]
    assert len(result.map) == 120


def test_nobody_changes_cluster_whose_items_stay_the_same(result):
    drift = result.evaluation["drift"]
    assert drift["users"] == 120
    assert drift["changed"] == 0.0
    assert drift["ari"] == pytest.approx(1.0)
    assert drift["assigned"]["survived"] == {"0": 0, "1": 1, "2": 2}
    assert len(drift["refitted"]["survived"]) == 3


def moving(movers=25, stayers=25):
    """Tea becomes tea and car half way; users of pets stay; some users come only later."""
    train = []
    for user in range(movers + stayers):
        later = "car" if user < movers else "tea"
        items = [f"tea{n}" for n in range(3)] + [f"{later}{n}" for n in range(4)]
        train.append(history(f"u{user}", items))
    train += [history(f"p{user}", [f"pet{n}" for n in range(7)]) for user in range(40)]
    return {"train": train, "validation": [], "test": []}


def test_drift_shows_who_moved(encoder, tmp_path):
    splits = moving()
    late = history("late", ["pet1", "pet2"])
    example = tf.train.Example.FromString(late)
    example.features.feature["timestamps"].int64_list.value[:] = [1_700_000_000, 1_700_003_600]
    splits["train"].append(example.SerializeToString())
    outcome = run(tmp_path / "moving", encoder, splits, max_clusters=3, k=3)
    drift = outcome.evaluation["drift"]
    assert drift["users"] == 90  # who had no event before the moment could not move
    assert drift["changed"] == pytest.approx(25 / 90)
    # Before, there was one cluster of tea; it split into those who stayed and those who left.
    (parts,) = drift["assigned"]["split"].values()
    assert len(parts) == 2


def test_drift_of_a_sample(encoder, tmp_path):
    outcome = run(tmp_path / "part", encoder, moving(), max_clusters=3, k=3, drift_sample=40)
    assert outcome.evaluation["drift"]["users"] == 40
    outcome = run(tmp_path / "off", encoder, moving(), max_clusters=3, k=3, drift_sample=0)
    assert outcome.evaluation["drift"] == {"reason": "clustering.drift_sample is 0"}


def test_no_drift_without_times(encoder, tmp_path):
    splits = moving()
    for n, record in enumerate(splits["train"]):
        example = tf.train.Example.FromString(record)
        times = example.features.feature["timestamps"].int64_list.value
        times[:] = range(len(times))
        splits["train"][n] = example.SerializeToString()
    outcome = run(tmp_path / "timeless", encoder, splits, max_clusters=3, k=3)
    assert outcome.evaluation["drift"] == {"reason": "the log has an order but no times"}


def test_profiles_name_the_items(result):
    assert [profile["users"] for profile in result.profiles] == [40, 40, 40]
    for profile in result.profiles:
        shown = profile["top_items"]
        assert len({item["item_id"][:3] for item in shown}) == 1
        assert all(item["lift"] == pytest.approx(3.0) for item in shown)
    titles = {item["title"] for profile in result.profiles for item in profile["top_items"]}
    assert titles <= {"", "Green tea", "Black tea"}
    names = [profile["name"] for profile in result.profiles]
    assert len(set(names)) == 3
    assert all("item car" in name or "item pet" in name or " tea" in name for name in names)
    assert "labels" not in result.evaluation


def test_outside_labels_are_compared_with_the_clusters(encoder, tmp_path):
    users = [f"{group}-user{user}" for group in GROUPS for user in range(40)]
    planted_groups = [user[:3] for user in users]
    labels = pl.DataFrame({"who": users, "group": planted_groups, "luck": ["a", "b"] * 60})
    labels.write_parquet(tmp_path / "labels.parquet")
    outcome = run(
        tmp_path / "run",
        encoder,
        planted(),
        labels_file=str(tmp_path / "labels.parquet"),
        labels_user_column="who",
        fit_sample=90,
        seed=5,
    )
    found = outcome.evaluation["labels"]
    assert (found["file"], found["users_in_file"], found["matched"]) == ("labels.parquet", 120, 90)
    group, luck = found["columns"]
    assert (group["ari"], group["ami"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert group["p_value"] == 0.001
    assert luck["ami"] < 0.1
    assert [sum(row) for row in group["table"]] == outcome.evaluation["sizes"]


def test_labels_of_other_users(encoder, tmp_path):
    (tmp_path / "labels.csv").write_text("user_id,age\nnobody,9\n")
    with pytest.raises(ClusteringError, match=r"labels\.csv: none of its 1 users"):
        run(tmp_path / "run", encoder, planted(), labels_file=str(tmp_path / "labels.csv"))


def test_one_load_serves_all_pipelines_of_a_process(encoder):
    saved = SavedEncoder(str(encoder / "Format-Serving"))
    assert pickle.loads(pickle.dumps(saved)).load() is saved.load()  # as Beam hands it on


def changing(future):
    """Users of tea who turn to something else after four events, and a target that is too."""
    before, after = [f"tea{n}" for n in range(4)], [f"{future}{n}" for n in range(4)]
    return {
        "train": [history(f"u{n}", before + after) for n in range(5)],
        "validation": [history(f"u{n}", before, targets=after) for n in range(5)],
        "test": [history(f"u{n}", before, targets=after[:1]) for n in range(5)],
    }


def test_no_target_and_nothing_after_it_decides_a_cluster(result, encoder, tmp_path):
    """Same users, same clusters, three futures: what is before the future must be the same."""
    past = []
    for future in GROUPS:
        source = write_examples(tmp_path / future / "in", changing(future))
        splits = output_splits(3, random_partition=False)
        written = standard_artifacts.Examples()
        written.uri = str(tmp_path / future / "out")
        written.split_names = artifact_utils.encode_split_names(splits)
        write_cluster_splits(
            beam.Pipeline(),
            files={split: split_files(source, split) for split in changing(future)},
            encoder=SavedEncoder(str(encoder / "Format-Serving")),
            batch_size=256,
            geometry=result.geometry,
            partition=None,
            split_directories={
                split: artifact_utils.get_split_uris([written], split)[0] for split in splits
            },
            temporary=str(tmp_path),
        )
        train = [e for k in range(3) for e in read(written, f"cluster_{k}_train")]
        held_out = [e for split in ("validation", "test") for e in read(written, split)]
        past.append(
            sorted(
                (user_of(e), integer(e, "first_target"), items_of(e)[:4], integer(e, "cluster_id"))
                for e in train + held_out
            )
        )
        assert {integer(e, "first_target") for e in train} == {1, 2, 4}
    assert past[0] == past[1] == past[2]
    assert len({cluster for *_, cluster in past[0]}) == 1


def test_assignment_is_that_of_the_visible_history(result, encoder):
    model = tf.saved_model.load(str(encoder / "Format-Serving"))
    records = planted()
    visible = {}
    for record in records["train"]:
        for segment in cut_segments(record):
            example = tf.train.Example.FromString(segment.example)
            visible[user_of(example), integer(example, "first_target")] = segment.visible
    for record in records["validation"]:
        visible[user_of(tf.train.Example.FromString(record)), None] = visible_history(record)
    embedded = model.signatures["embed"](examples=tf.constant(list(visible.values())))
    expected = result.geometry.assign(embedded["embedding"].numpy())
    written = {(user_of(e), None): integer(e, "cluster_id") for e in result.records("validation")}
    for k in range(3):
        for example in result.records(f"cluster_{k}_train"):
            written[user_of(example), integer(example, "first_target")] = k
    assert written == dict(zip(visible, expected.tolist(), strict=True))


def test_random_partition_has_the_same_examples_by_chance(encoder, tmp_path):
    outcome = run(tmp_path / "random", encoder, planted(), 3, random_partition=True)
    assert set(outcome.splits) >= {"random_0_train", "random_2_validation"}
    for kind in ("train", "validation"):
        by = {
            name: [e for k in range(3) for e in outcome.records(f"{name}_{k}_{kind}")]
            for name in ("cluster", "random")
        }
        assert len(by["cluster"]) > 0
        serialized = {
            name: sorted(e.SerializeToString(deterministic=True) for e in examples)
            for name, examples in by.items()
        }
        assert serialized["cluster"] == serialized["random"]
    part_of = {}
    for k in range(3):
        examples = [
            e for kind in ("train", "validation") for e in outcome.records(f"random_{k}_{kind}")
        ]
        assert examples, "no part is empty"
        assert {integer(e, "random_part") for e in examples} == {k}
        part_of |= {user_of(e): k for e in examples}
    for example in outcome.records("test"):
        assert part_of.get(user_of(example), integer(example, "random_part")) == integer(
            example, "random_part"
        )
    pairs = {(integer(e, "cluster_id"), integer(e, "random_part")) for e in outcome.records("test")}
    assert len(pairs) > 3, "the parts are not the clusters"


def test_same_seed_same_output(encoder, tmp_path):
    splits = planted()
    one, two = (
        run(tmp_path / name, encoder, splits, max_clusters=3, fit_sample=30, seed=3)
        for name in "ab"
    )
    assert one.evaluation == two.evaluation
    assert one.evaluation["sampled"] == 30
    assert one.evaluation["users"] == 120
    np.testing.assert_array_equal(one.geometry.rule.prototypes, two.geometry.rule.prototypes)
    assert one.profiles == two.profiles
    for split in one.splits:
        left = [e.SerializeToString(deterministic=True) for e in one.records(split)]
        assert left == [e.SerializeToString(deterministic=True) for e in two.records(split)]


def test_shards_are_named_by_content(tmp_path):
    """Bundles end in any order; the files of a split do not depend on it."""
    (tmp_path / "a.gz").write_text("a")
    (tmp_path / "b.gz").write_text("b")
    shards = [("22", str(tmp_path / "b.gz")), ("11", str(tmp_path / "a.gz"))]
    directory = tmp_path / "Split-x"
    name_shards("x", {"directory": [str(directory)], "shards": shards})
    name_shards("x", {"directory": [str(directory)], "shards": shards})  # repeated after a failure
    assert {file.name: file.read_text() for file in directory.iterdir()} == {
        "data_tfrecord-00000-of-00002.gz": "a",
        "data_tfrecord-00001-of-00002.gz": "b",
    }


def with_loners(loners=12):
    """Planted users, and some who mix all groups, each in another way: too few to be a group."""
    splits = planted()
    rng = np.random.default_rng(5)
    for user in range(loners):
        items = [f"{g}{n}" for n, g in enumerate(rng.choice([*GROUPS, "toy", "bed"], 10))]
        name = f"loner{user}"
        splits["train"].append(history(name, items[:-2]))
        splits["validation"].append(history(name, items[:-2], targets=items[-2:-1]))
        splits["test"].append(history(name, items[:-1], targets=items[-1:]))
    return splits


def test_users_of_no_cluster_train_no_specialist(encoder, tmp_path):
    outcome = run(tmp_path / "noise", encoder, with_loners(), algorithm="dbscan", eps=0.1)
    assert outcome.clusters.get_int_custom_property("clusters") == 3
    assert (outcome.evaluation["sizes"], outcome.evaluation["noise"]) == ([40] * 3, 12)
    assert "12 of 132 users are noise" in outcome.evaluation["reason"]
    assert outcome.evaluation["by_k"][-1]["silhouette"] == pytest.approx(1.0)  # of the members
    for split in ("validation", "test"):
        found = {user_of(e): integer(e, "cluster_id") for e in outcome.records(split)}
        assert len(found) == 132
        assert {user for user, k in found.items() if k == -1} == {f"loner{n}" for n in range(12)}
    # A loner's first event is that of a group; later segments are nobody's.
    per_cluster = [outcome.records(f"cluster_{k}_validation") for k in range(4)]
    assert [len(records) for records in per_cluster] == [40] * 3 + [0]
    trained = [e for k in range(3) for e in outcome.records(f"cluster_{k}_train")]
    later = {user_of(e) for e in trained if integer(e, "first_target") == 4}
    assert len(later) >= 120
    assert len({user for user in later if user.startswith("loner")}) < 3
    assert [profile["cluster"] for profile in outcome.profiles] == [0, 1, 2]
    assert sum(profile["share"] for profile in outcome.profiles) == pytest.approx(120 / 132)
    assert outcome.map.filter(pl.col("cluster") == -1).height == 12


def test_an_encoder_without_the_representation(encoder, tmp_path):
    with pytest.raises(Exception, match="no signature 'represent'"):
        run(tmp_path / "old", encoder, planted(), representation="mean_states")


def test_one_user(encoder, tmp_path):
    splits = {
        "train": [history("only", ["tea1", "tea2", "tea3"])],
        "validation": [history("only", ["tea1", "tea2", "tea3"], targets=["tea4"])],
        "test": [],
    }
    outcome = run(tmp_path / "one", encoder, splits, max_clusters=2)
    assert outcome.clusters.get_int_custom_property("clusters") == 1
    assert "only one user" in outcome.evaluation["reason"]
    assert outcome.evaluation["clusters_found"] is None
    assert outcome.evaluation["drift"] == {"reason": "there is only one cluster"}
    assert len(outcome.records("cluster_0_train")) == 2
    assert outcome.records("cluster_1_train") == outcome.records("test") == []
    assert outcome.description["small_clusters"] == [0]
    assert outcome.map.to_dict(as_series=False) == {"x": [0.0], "y": [0.0], "cluster": [0]}


def test_more_clusters_than_users_and_one_instant(encoder, tmp_path):
    train = [history(f"u{n}", [f"{group}1"] * 3, basket=3) for n, group in enumerate(GROUPS[:2])]
    splits = {"train": train, "validation": [], "test": []}
    outcome = run(tmp_path / "few", encoder, splits, max_clusters=3, k=3)
    assert outcome.clusters.get_int_custom_property("clusters") == 2
    assert "reduced to 2" in outcome.evaluation["reason"]
    assert all(outcome.records(split) == [] for split in outcome.splits)


def test_no_users_at_all(encoder, tmp_path):
    with pytest.raises(ClusteringError, match="no user has a history in the train split"):
        run(tmp_path / "none", encoder, {"train": [], "validation": [], "test": []})


def test_missing_split(encoder, tmp_path):
    with pytest.raises(ClusteringError, match="no split 'test'"):
        run(tmp_path / "split", encoder, {"train": [], "validation": []})


def test_diverged_encoder(tmp_path):
    save_encoder(tmp_path, scale=float("nan"))
    with pytest.raises(ClusteringError, match="embeddings that are not finite"):
        run(
            tmp_path / "nan",
            tmp_path,
            {"train": [history("u", ["tea1"])], "validation": [], "test": []},
        )


def test_component_spec():
    examples, model = standard_artifacts.Examples(), standard_artifacts.Model()
    node = SequenceClusterer(
        examples=as_channel([examples]),
        encoder_model=as_channel([model]),
        config=ClusteringConfig(k=2),
        max_clusters=4,
    )
    assert set(node.outputs) == {"clusters", "examples", "evaluation"}
    assert ClusteringConfig.from_json(node.exec_properties["config"]).k == 2
    assert node.exec_properties["labels_file"] == ""
    labelled = SequenceClusterer(
        examples=as_channel([examples]),
        encoder_model=as_channel([model]),
        config=ClusteringConfig(k=2),
        max_clusters=4,
        labels_file="/data/labels.csv",
        labels_fingerprint="abc",
    )
    assert labelled.exec_properties["labels_file"] == "/data/labels.csv"
    assert labelled.exec_properties["labels_fingerprint"] == "abc"
    with pytest.raises(ConfigError, match="clustering.k"):
        SequenceClusterer(as_channel([examples]), as_channel([model]), ClusteringConfig(k=5), 4)
