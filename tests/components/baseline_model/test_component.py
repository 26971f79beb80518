import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components.baseline_model import BaselineModel
from components.baseline_model.executor import Executor
from components.baseline_model.record import BaselineRecord
from components.baseline_model.served_version import find_served, find_stable, overtaken_by
from tests.helpers.evaluated_model import save_evaluated
from trainer.data.item_popularity import count_items
from trainer.errors import DataError
from trainer.serving import baseline_recommender
from trainer.settings import ConfigError
from trainer.uri_files import write_json

pytestmark = pytest.mark.slow

RETURNING = [(b"ann", [b"milk", b"milk", b"bread"]), (b"bob", [b"tea", b"tea", b"milk"])]
"""Each buys again what they bought before, but only one of them buys what everybody does."""


def write_histories(path: Path, histories, targets=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type="GZIP")) as writer:
        for row, (user, items) in enumerate(histories):
            values = {"user_id": [user], "item_ids": items}
            if targets is not None:
                values["target_item_ids"] = targets[row]
            writer.write(
                tf.train.Example(
                    features=tf.train.Features(
                        feature={
                            name: tf.train.Feature(bytes_list=tf.train.BytesList(value=value))
                            for name, value in values.items()
                        }
                    )
                ).SerializeToString()
            )


def examples_artifact(folder: Path, train, validation, targets):
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    examples.split_names = artifact_utils.encode_split_names(["train", "validation"])
    name = "data_tfrecord-00000-of-00001.gz"
    write_histories(folder / "Split-train" / name, train)
    write_histories(folder / "Split-validation" / name, validation, targets)
    return examples


def run(tmp_path: Path, examples, name="model", **properties):
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / name)
    given = {"push_destination": str(tmp_path / "serving"), "nonce": "1", "top_k": 5}
    given |= {"against": "served", "exclude_seen": "auto", "code_version": ""} | properties
    Executor().Do({"examples": [examples]}, {"model": [model]}, given)
    return model, BaselineRecord.find(model.uri)


def signatures_of(model):
    return tf.saved_model.load(str(Path(model.uri) / "Format-Serving")).signatures


@pytest.fixture
def returning(tmp_path):
    return examples_artifact(tmp_path / "examples", RETURNING, RETURNING, [[b"milk"], [b"tea"]])


def push(folder: Path, item=b"milk"):
    model = baseline_recommender.BaselineRecommender([item], np.array([3]), True, False, top_k=2)
    save_evaluated(model, folder)
    write_json(f"{folder}/assets.extra/model.json", {"id": f"own_items-{model.fingerprint()}"})


def _identity(folder: Path):
    return json.loads((folder / "assets.extra/model.json").read_text())["id"]


def test_first_run_picks_own_items_where_customers_return(tmp_path, returning):
    model, record = run(tmp_path, returning)
    assert record.kind == "own_items"
    assert record.validation["own_items"]["ndcg@10"] == 1.0
    assert record.validation["popularity"]["ndcg@10"] < 1.0
    assert "NDCG@10 on validation is 1.0000, against 0.8155 of popularity" in record.reason
    assert (record.stable, record.stable_identity) == ("", "")
    assert model.get_string_custom_property("source") == "own_items"
    assert model.get_string_custom_property("version") == record.version
    contract = {"serving_default", "recommend", "embed", "evaluate"}
    assert set(signatures_of(model)) == contract | {"recommend_own", "recommend_new"}
    described = json.loads((Path(model.uri) / "Format-Serving/assets.extra/model.json").read_text())
    assert described["kind"] == "own_items"
    assert described["id"].endswith(record.version)


def test_popularity_wins_where_nobody_returns_to_their_own(tmp_path):
    validation = [(b"ann", [b"bread"]), (b"bob", [b"tea"])]
    examples = examples_artifact(
        tmp_path / "examples", RETURNING, validation, [[b"milk", b"bread"], [b"milk"]]
    )
    _, record = run(tmp_path, examples)
    assert record.kind == "popularity"
    assert record.validation["popularity"]["hr@5"] == 1.0


def test_seen_items_are_left_out_where_nothing_is_bought_twice(tmp_path):
    once = [(b"ann", [b"milk", b"bread"]), (b"bob", [b"milk", b"tea"])]
    examples = examples_artifact(tmp_path / "examples", once, once, [[b"tea"], [b"bread"]])
    model, record = run(tmp_path, examples)
    assert record.kind == "popularity"
    assert list(record.validation) == ["popularity"]
    served = signatures_of(model)["recommend"](
        item_ids=tf.constant([[b"milk"]]),
        actions=tf.constant([[b"purchase"]]),
        timestamps=tf.constant([[1]], tf.int64),
    )
    assert served["item_ids"].numpy().tolist() == [[b"tea", b"bread", b"", b"", b""]]
    _, forced = run(tmp_path, examples, "forced", exclude_seen="false")
    assert set(forced.validation) == {"own_items", "popularity"}


def test_without_validation_the_stronger_one_is_assumed(tmp_path):
    examples = examples_artifact(tmp_path / "examples", RETURNING, [], [])
    _, record = run(tmp_path, examples)
    assert record.kind == "own_items"
    assert "no validation history" in record.reason


def test_no_events_are_the_users_error(tmp_path):
    examples = examples_artifact(tmp_path / "examples", [], [], [])
    with pytest.raises(DataError, match="hold no events"):
        run(tmp_path, examples)
    with pytest.raises(ConfigError, match="must be auto, true or false, not 'yes'"):
        run(tmp_path, examples, exclude_seen="yes")


def test_counting_orders_by_count_then_id_and_measures_repeats(tmp_path):
    write_histories(tmp_path / "a.gz", RETURNING)
    popularity = count_items([str(tmp_path / "a.gz")])
    assert popularity.item_ids == [b"milk", b"tea", b"bread"]
    assert popularity.counts.tolist() == [3, 2, 1]
    assert popularity.repeat_share == 0.5


def test_the_newest_served_model_is_the_baseline(tmp_path, returning):
    serving = tmp_path / "serving"
    push(serving / "9")
    push(serving / "10", item=b"newest")
    (serving / "notes").mkdir()
    model, record = run(tmp_path, returning)
    assert (record.kind, record.version, record.skipped) == ("served", "10", [])
    assert (record.stable, record.stable_identity) == ("10", _identity(serving / "10"))
    assert record.validation == {}
    assert model.get_string_custom_property("source") == "served"
    copied = Path(model.uri) / "Format-Serving"
    assert (copied / "assets.extra/model.json").is_file()
    assert signatures_of(model)["evaluate"](tf.constant([b""]))["recommended"][0, 0] == b"newest"


def test_after_a_rollback_the_stable_model_is_the_baseline(tmp_path, returning):
    serving = tmp_path / "serving"
    for version in ("1", "2", "3"):
        push(serving / version, item=f"from {version}".encode())
    (serving / "models.config").write_text(
        "model_config_list { config { name: 'shop' "
        "version_labels { key: 'stable' value: 2 } version_labels { key: 'canary' value: 3 } } }"
    )
    model, record = run(tmp_path, returning)
    assert (record.kind, record.version, record.skipped) == ("served", "2", [])
    assert record.stable == "2"
    assert signatures_of(model)["evaluate"](tf.constant([b""]))["recommended"][0, 0] == b"from 2"
    # Where it cannot be used, the one before it can; the canary never.
    (serving / "2/saved_model.pb").unlink()
    served, skipped = find_served(str(serving))
    assert served is not None
    assert served.version == "1"
    assert len(skipped) == 1
    (serving / "models.config").write_text("{")
    with pytest.raises(ConfigError, match="is not a model server config"):
        find_served(str(serving))


def test_unusable_versions_are_passed_over_and_named(tmp_path, returning):
    serving = tmp_path / "serving"
    (serving / "4").mkdir(parents=True)
    (serving / "3").mkdir()
    (serving / "3/saved_model.pb").write_bytes(b"not a model")
    tf.saved_model.save(tf.Module(), str(serving / "2"))
    push(serving / "1")
    served, skipped = find_served(str(serving))
    assert served is not None
    assert served.version == "1"
    assert [sentence.split(" in ")[0] for sentence in skipped] == [
        "version 4",
        "version 3",
        "version 2",
    ]
    assert "is incomplete" in skipped[0]
    assert "cannot be loaded" in skipped[1]
    assert "has no signature 'evaluate'" in skipped[2]
    # Servers are told to serve the newest that is complete; it does not matter that they cannot.
    _, record = run(tmp_path, returning, "compared with 1")
    assert (record.kind, record.version) == ("served", "1")
    assert (record.stable, record.stable_identity) == ("3", "")
    assert overtaken_by(str(serving), record) is None
    shutil.copy(serving / "1/saved_model.pb", serving / "4/saved_model.pb")
    assert overtaken_by(str(serving), record) == "4"
    (serving / "4/saved_model.pb").unlink()

    (serving / "1/saved_model.pb").unlink()
    model, record = run(tmp_path, returning)
    assert record.kind == "own_items"
    assert (len(record.skipped), record.stable) == (4, "3")
    assert "version 1" in model.get_string_custom_property("skipped")


def test_nothing_is_served_where_there_is_no_folder(tmp_path):
    assert find_served(str(tmp_path / "absent")) == (None, [])
    assert find_served("") == (None, [])
    assert find_stable("") == find_stable(str(tmp_path / "absent")) == ("", "")


def test_what_could_be_loaded_again_should_have_been_compared(tmp_path, returning):
    """A passing fault of the storage must not let a model in that is worse than the stable one."""
    serving = tmp_path / "serving"
    push(serving / "1")
    push(serving / "2")
    (serving / "2/variables").rename(tmp_path / "variables")
    _, record = run(tmp_path, returning)
    assert (record.version, record.stable, len(record.skipped)) == ("1", "2", 1)
    assert overtaken_by(str(serving), record) is None
    (tmp_path / "variables").rename(serving / "2/variables")
    assert overtaken_by(str(serving), record) == "2"


def test_a_free_baseline_may_be_asked_for_although_a_model_is_served(tmp_path, returning):
    serving = tmp_path / "serving"
    push(serving / "1")
    _, record = run(tmp_path, returning, against="free")
    assert record.kind == "own_items"
    assert record.reason.startswith("gates.against is free; free baseline: own items")
    assert record.stable == "1"
    assert overtaken_by(str(serving), record) is None
    push(serving / "2")
    assert overtaken_by(str(serving), record) == "2"


def test_the_component_passes_its_parameters_on():
    examples = channel_utils.as_channel([standard_artifacts.Examples()])
    component = BaselineModel(
        examples=examples, push_destination="out/serving", nonce="now", exclude_seen=True
    )
    assert component.exec_properties["exclude_seen"] == "true"
    assert component.exec_properties["top_k"] == 20
    assert component.exec_properties["against"] == "served"
    assert component.id == "BaselineModel"
