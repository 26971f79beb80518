"""The whole component over a tiny shop: its files agree with each other and with the model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import polars as pl
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2
from tfx.types import standard_artifacts

from components.artifacts import ClusterModel, ModelComparison
from components.cluster_combiner import executor, worth
from components.cluster_combiner.config import CombinerConfig
from tests.helpers.fine_tuning import fine_tuned, in_part
from tests.helpers.raw_histories import write_records
from trainer.behavior_config import BehaviorConfig
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.embedding_space import EmbeddingSpace
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.histories import read_histories
from trainer.data.item_features import ItemFeatures
from trainer.encoder.build_encoder import build_encoder
from trainer.evaluation.compared_models import COMPARED_MODELS, FREE, PEERS
from trainer.evaluation.peers import library, recurrent
from trainer.evaluation_config import EvaluationConfig
from trainer.raw_history import TEST, TRAIN, VALIDATION
from trainer.serving.export import save_encoder
from trainer.serving.warmup import WARMUP_FILE
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow

MEMBERS, WIDTH, CLUSTERS = 2, 8, 2
CONTROLS = {"random_0": [0], "random_1": [], "continued": [0, 1]}


def artifact(kind, folder: Path, splits: tuple[str, ...] = ()):
    made = kind()
    made.uri = str(folder)
    if splits:
        made.split_names = json.dumps(splits)
    return [made]


@pytest.fixture(scope="module")
def inputs(tiny_shop, tmp_path_factory):
    """The artifacts that the component reads: encoders of random weights, a split twice."""
    root = tmp_path_factory.mktemp("inputs")
    keras.utils.set_random_seed(5)
    facts = DataFacts.of(read_histories(tiny_shop.validation, tiny_shop.graph), tiny_shop.graph)
    size = EncoderConfig(width=WIDTH, members=MEMBERS, layers=1, feedforward=16, max_events=8)
    nothing = ItemFeatures.none(facts.items, "no texts")
    encoder = build_encoder(facts, size, ServingConfig(), nothing)
    rng = np.random.default_rng(0)
    for weight in [*encoder.catalogue.trainable_weights, *encoder.tower.trainable_weights]:
        weight.assign(rng.normal(0, 0.4, weight.shape))

    def model(name, made):
        save_encoder(made, str(root / name / "Format-Serving"))
        return artifact(standard_artifacts.Model, root / name)

    records = [in_part(record, user) for user, record in enumerate(tiny_shop.raw)]
    for name in (VALIDATION, TEST, TRAIN):
        (root / "examples" / f"Split-{name}").mkdir(parents=True)
    for name in (VALIDATION, TEST):
        write_records(root / "examples" / f"Split-{name}" / "part.gz", records)
    shutil.copy(tiny_shop.train[0], root / "examples" / f"Split-{TRAIN}" / "part.gz")
    prototypes = np.random.default_rng(1).normal(size=(CLUSTERS, 1, MEMBERS * WIDTH))
    rule = NearestPrototype.of_groups(prototypes, 0.7)
    (root / "clusters").mkdir()
    ClusterGeometry(EmbeddingSpace(True), rule).save(str(root / "clusters"), {})
    examples = (standard_artifacts.Examples, root / "examples")
    return {
        "examples": artifact(*examples, (VALIDATION, TEST)),
        "histories": artifact(*examples, (TRAIN,)),
        "transform_graph": artifact(standard_artifacts.TransformGraph, Path(tiny_shop.graph_dir)),
        "clusters": artifact(ClusterModel, root / "clusters"),
        "encoder_model": model("encoder", encoder),
        "specialist_0": model("specialist_0", fine_tuned(encoder, [0], 7)),
        "specialist_1": model("specialist_1", fine_tuned(encoder, [0, 1], 8)),
        **{name: model(name, fine_tuned(encoder, own, 9)) for name, own in CONTROLS.items()},
    }


def run(
    inputs, directory: Path, behavior_head: BehaviorConfig | None = None, **config
) -> SimpleNamespace:
    """What the component leaves."""
    comparison = artifact(ModelComparison, directory / "comparison")
    model = artifact(standard_artifacts.Model, directory / "model")
    judged = artifact(standard_artifacts.Examples, directory / "judged")
    executor.Executor().Do(
        inputs,
        {"model": model, "comparison": comparison, "judged": judged},
        {
            "config": CombinerConfig(steps=40, learning_rate=0.1, **config).to_json(),
            "serving": ServingConfig(top_k=5).to_json(),
            "evaluation": EvaluationConfig().to_json(),
            "behavior_head": (behavior_head or BehaviorConfig()).to_json(),
            "seed": 4,
        },
    )
    files = {
        name: json.loads((directory / "comparison" / f"{name}.json").read_text())
        for name in ("comparison", "combination", "worth")
    }
    return SimpleNamespace(
        **files,
        ranks=pl.read_parquet(directory / "comparison" / "ranks.parquet"),
        model=str(directory / "model" / "Format-Serving"),
        judged=sorted((directory / "judged" / "Split-test").iterdir()),
        identity=model[0].get_string_custom_property("id"),
    )


def embedded(left, inputs):
    records = tf.data.TFRecordDataset(
        str(Path(inputs["examples"][0].uri) / f"Split-{TEST}" / "part.gz"), "GZIP"
    )
    examples = tf.constant([record.numpy() for record in records])
    served = tf.saved_model.load(left.model).signatures["embed"](examples=examples)
    return {name: value.numpy() for name, value in served.items()}


def without(inputs, names):
    return {name: value for name, value in inputs.items() if name not in names}


def convinced(table, used):
    """The verdict of `judge`, except that the combination always wins."""
    return worth.judge(table, used).model_copy(update={"recommendation": worth.COMBINATION})


def test_used_specialists_are_served_with_the_fitted_strengths(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "judge", convinced)
    left = run(without(inputs, CONTROLS), tmp_path, transitions=False)
    found = left.combination
    assert found["kept"]
    assert found["transitions"]["reason"] == "combiner.transitions=false"
    assert found["parameters"]["strengths"] == found["parameters"]["fitted_strengths"]
    models = [name for name in left.ranks.columns if name in COMPARED_MODELS]
    assert [name for name in models if name not in FREE] == ["global", "routed", "combiner"]
    assert {"popularity", "item_transitions", "item_knn"} <= set(models)
    opponent = left.comparison["counted"]["opponent"]
    chosen = left.comparison["counted"]["chosen"]
    assert chosen[opponent]["validation"] == max(each["validation"] for each in chosen.values())
    judged = tf.data.TFRecordDataset([str(path) for path in left.judged], "GZIP")
    listed = [
        tf.train.Example.FromString(record.numpy()).features.feature["free_item_ids"]
        for record in judged
    ]
    assert len(listed) >= left.ranks.filter(pl.col("split") == TEST).height
    assert all(len(set(each.bytes_list.value)) > 5 for each in listed)
    served = embedded(left, inputs)
    np.testing.assert_allclose(served["cluster_weights"].mean(0), found["weights_mean"], atol=1e-5)
    assert set(left.worth["serving_ms"]) == {"global encoder", "combination"}
    model = json.loads((Path(left.model) / "assets.extra" / "model.json").read_text())
    combiner = left.comparison["splits"][TEST]["overall"]["combiner"]
    assert model["id"] == left.identity
    assert model["clusters"] == CLUSTERS
    assert model["metrics"]["ndcg@10"] == combiner["ndcg@10"]


@pytest.fixture(scope="module")
def refused(inputs, tmp_path_factory):
    return run(inputs, tmp_path_factory.mktemp("refused"))


def test_refused_specialists_are_compared_as_the_global_encoder(refused, inputs):
    left = refused
    found = left.combination
    assert not found["kept"]
    assert "the global encoder serves alone" in found["reason"]
    assert found["parameters"]["strengths"] == [0.0, 0.0]
    assert max(found["parameters"]["fitted_strengths"]) > 0
    assert found["weights_mean"] == [1.0, 0.0, 0.0]
    assert {"random_routed", "random_combiner", "continued"} <= set(left.ranks.columns)
    assert found["transitions"]["weight"] > 0
    assert "encoder" in left.ranks.columns
    assert left.ranks["combiner"].equals(left.ranks["global"])
    assert (embedded(left, inputs)["cluster_weights"] == [1.0, 0.0, 0.0]).all()


def test_every_model_is_judged_on_both_shelves_which_are_served(refused):
    left = refused
    signatures = set(tf.saved_model.load(left.model).signatures)
    assert {"recommend", "recommend_own", "recommend_new"} < signatures
    warmed = {
        prediction_log_pb2.PredictionLog.FromString(
            record.numpy()
        ).predict_log.request.model_spec.signature_name
        for record in tf.data.TFRecordDataset(f"{left.model}/{WARMUP_FILE}")
    }
    assert warmed == {"serving_default", "recommend", "recommend_own", "recommend_new"}
    test = left.ranks.filter(pl.col("split") == TEST)
    shelves = left.comparison["shelves"]["splits"][TEST]
    # Everybody took something, from one shelf or from both.
    assert sum(found["users"] for found in shelves.values()) >= test.height > 0
    for shelf, found in shelves.items():
        assert set(found["models"]) == set(left.comparison["models"])
        taken = test.filter(pl.col(f"global_{shelf}_recall@10").is_not_null())
        assert found["users"] == taken.height
        if not taken.height:
            continue
        for model, figures in found["models"].items():
            for measure, value in figures.items():
                assert value == pytest.approx(taken[f"{model}_{shelf}_{measure}"].mean())
        for measure, lift in found["lifts"].items():
            rule = taken[f"{lift['against']}_{shelf}_{measure}"]
            assert lift["mean"] == pytest.approx(
                (taken[f"combiner_{shelf}_{measure}"] - rule).mean()
            )


def test_peers_are_compared_and_change_nothing_else(refused, inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(recurrent, "_EPOCHS", 2)
    monkeypatch.setattr(recurrent.Gru, "grid", {})
    plain = refused
    assert plain.comparison["peers"] is None
    assert not set(PEERS) & set(plain.ranks.columns)
    asked = ("ease", "pure_svd", "gru")
    left = run(inputs, tmp_path, peers=asked)
    assert [name for name in left.comparison["models"] if name in PEERS] == [
        "pure_svd",
        *asked[::2],
    ]
    assert left.identity == plain.identity
    assert left.ranks.select(plain.ranks.columns).equals(plain.ranks)
    assert left.comparison["counted"] == plain.comparison["counted"]
    assert left.worth["splits"] == plain.worth["splits"]
    record = left.comparison["peers"]
    assert set(record["chosen"]) | set(record["left_out"]) == set(asked)
    test = left.ranks.filter(pl.col("split") == TEST)
    for lift in record["lifts"][TEST]:
        own, other = (test[f"{m}_basket_ndcg@10"] for m in (lift["model"], lift["against"]))
        assert lift["model"] == "combiner"
        assert lift["mean"] == pytest.approx((own - other).mean())
        assert left.comparison["splits"][TEST]["overall"][lift["against"]]["users"] == len(own)


def test_a_peer_whose_library_is_missing_ends_the_component_at_once(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(library.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="als needs the library implicit"):
        run(without(inputs, CONTROLS), tmp_path, peers=("als",))


def with_later_events(inputs, tiny_shop, folder: Path):
    """Everybody's history again, as if the window had begun with the fourth event."""
    for split in (VALIDATION, TEST):
        (folder / f"Split-{split}").mkdir(parents=True)
        write_records(folder / f"Split-{split}" / "part.gz", [later(raw) for raw in tiny_shop.raw])
    written = artifact(standard_artifacts.Examples, folder, (VALIDATION, TEST))
    return {**inputs, "later_events": written}


def later(record: bytes) -> bytes:
    example = tf.train.Example.FromString(record)
    example.features.feature["first_target"].int64_list.value[0] = 3
    return example.SerializeToString()


def test_a_behaviour_head_stands_in_embed_and_changes_nothing_else(
    refused, inputs, tiny_shop, tmp_path
):
    # Every fourth event is a view, all others are purchases: the next action follows from the
    # latest ones, and within three days there is always a purchase.
    asked = BehaviorConfig(actions=("buy",), days=3)
    given = with_later_events(inputs, tiny_shop, tmp_path / "later")
    left = run(given, tmp_path, asked)
    figures = left.comparison["behavior"]["figures"]
    assert figures["buys_next"]["served"]
    assert figures["buys_next"]["moments"] == {"train": 660, "validation": 480, "test": 480}
    assert figures["buys_next"]["taken"] == {"train": 540, "validation": 360, "test": 360}
    assert figures["buys_next"]["auc"] > 0.8
    assert figures["buys_within"]["why"].startswith("off, 540 of 540 train moments")
    served, plain = embedded(left, inputs), embedded(refused, inputs)
    assert set(served) == {*plain, "buys_next"}
    for name, values in plain.items():
        np.testing.assert_array_equal(served[name], values)
    assert served["buys_next"].dtype == np.float32
    assert left.ranks.equals(refused.ranks)
    assert left.identity != refused.identity
    assert refused.comparison["behavior"] is None
