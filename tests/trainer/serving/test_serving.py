"""The served model answers what the Keras models compute, whatever comes in."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.helpers.raw_histories import raw_history
from tests.helpers.repository import BENCHMARKS
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.embedding_space import EmbeddingSpace
from trainer.clusters.mixture import Mixture
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.clusters.representation import query_and_representation
from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.encoder_inputs import cut_inputs
from trainer.data.histories import read_histories
from trainer.data.item_features import ItemFeatures
from trainer.data.item_transitions import TransitionBonus, count_transitions
from trainer.data.windows import padded_columns
from trainer.encoder.build_encoder import build_encoder
from trainer.encoder.own_items import own_items_in
from trainer.encoder.tower_ensemble import TowerEnsemble
from trainer.evaluation.ranking import mask_items
from trainer.evaluation.scorer import Scorer
from trainer.serving import cell_index
from trainer.serving.export import save_recommender
from trainer.serving.recommender import EVALUATED_ITEMS, Recommender
from trainer.serving.warmup import WARMUP_FILE, write_warmup

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["buys_again", "excludes_seen", "approximate_index"])
def served(request, tiny_shop, tmp_path_factory):
    """A combined model of random weights, its SavedModel, and the histories as columns."""

    keras.utils.set_random_seed(5)
    histories = read_histories(tiny_shop.validation, tiny_shop.graph)
    facts = DataFacts.of(histories, tiny_shop.graph)
    serving = ServingConfig(top_k=6, exclude_seen=request.param == "excludes_seen")
    config = EncoderConfig(
        width=8, members=2, layers=1, feedforward=16, max_events=8, own_events=16
    )
    nothing = ItemFeatures.none(facts.items, "no texts")
    encoder, first, second = (build_encoder(facts, config, serving, nothing) for _ in range(3))
    rng = np.random.default_rng(0)
    for weight in encoder.catalogue.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    neighbours = encoder.catalogue.neighbours
    if neighbours is not None:
        near = rng.integers(0, facts.items + 1, neighbours.neighbours.shape)
        neighbours.set_neighbours(near, np.where(near > 0, rng.random(near.shape), 0.0))
        neighbours.weight.assign(1.0)
        neighbours.floor.assign(0.2)
        neighbours.used = True
    if request.param == "excludes_seen":
        # Several prototypes and a radius that leaves about half of the users out.
        rule = NearestPrototype.of_groups(rng.normal(size=(3, 2, 48)) / 7, 0.7, np.full(3, 1.27))
        geometry = ClusterGeometry(EmbeddingSpace(True), rule, "multi_period")
    else:
        rule = NearestPrototype.of_groups(rng.normal(size=(3, 1, 16)), 0.7)
        geometry = ClusterGeometry(EmbeddingSpace(True), rule)
    mixture = Mixture(geometry, np.array([0.8, 0.0, 0.5], np.float32), per_user=2)
    # The last one shares its first member with the global encoder.
    sharing = TowerEnsemble([encoder.tower.members[0], second.tower.members[1]])
    towers = [first.tower, first.tower, sharing]
    cells = None
    if request.param == "approximate_index":
        table = encoder.as_of_log_end().catalogue.table().numpy()[1:]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cell_index, "ITEMS_PER_CELL", (4,))
            cells = cell_index.build_cells(table, rng.normal(size=(20, 17)), 1.0, seed=1)
        cells = dataclasses.replace(cells, probes=len(cells.centres))
    training = read_histories(tiny_shop.train, tiny_shop.graph)
    transitions = count_transitions(training, facts.items).times(3)
    recommender = Recommender(
        tiny_shop.graph,
        encoder,
        towers,
        mixture,
        top_k=serving.top_k,
        cells=cells,
        transitions=transitions,
    )
    directory = str(tmp_path_factory.mktemp("served"))
    save_recommender(recommender, directory, {"kind": "combined"})
    return SimpleNamespace(
        directory=directory,
        by_columns=recommender.by_columns,
        model=tf.saved_model.load(directory),
        encoder=encoder,
        towers=towers,
        mixture=mixture,
        transitions=transitions,
        histories=histories,
        raw=tiny_shop.raw,
        vocabulary=[b"", *tiny_shop.graph.vocabulary_by_name("items")],
    )


def expected_query(served):
    """The global encoder's query of every history."""

    return Scorer(served.encoder, served.histories).queries()


def expected_scores(served):
    """Scores of the whole catalogue from the Keras models, in the training code's way."""

    columns = padded_columns(served.histories.columns)
    starts, ends = served.histories.splits[:-1], served.histories.splits[1:]
    inputs = cut_inputs(columns, tf.constant(starts), tf.constant(ends), 8, 16)
    kind = served.mixture.geometry.representation
    query, representation = query_and_representation(served.encoder, inputs, kind)
    cluster, weights = served.mixture.weights(representation)
    vectors = served.encoder.catalogue(inputs["item"], inputs["category"])
    queries = tf.stack([query, *(tower(inputs, vectors) for tower in served.towers)])
    combined = tf.einsum("bk,kbd->bd", weights, queries)
    own = None if served.encoder.exclude_seen else own_items_in(inputs)
    scores = served.encoder.catalogue.logits(combined, own)
    raised, bonus = TransitionBonus(served.transitions).bonus(inputs["item"])
    dense = tf.one_hot(raised, scores.shape[1]) * bonus[..., None]
    scores += tf.reduce_sum(dense, axis=1)
    if served.encoder.exclude_seen:
        scores = mask_items(scores, inputs["own_item"])
    return scores.numpy(), weights.numpy(), cluster.numpy()


def test_served_lists_equal_the_keras_models(served):
    out = served.model.signatures["serving_default"](examples=tf.constant(served.raw))
    scores, weights, cluster = expected_scores(served)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :6]
    np.testing.assert_allclose(
        out["scores"].numpy(), np.take_along_axis(scores, best, axis=1), rtol=1e-4, atol=1e-5
    )
    ids = np.array(served.vocabulary, object)[best]
    same = (out["item_ids"].numpy() == ids).mean()
    assert same > 0.99  # two equal scores may swap by rounding
    np.testing.assert_allclose(out["cluster_weights"].numpy(), weights, atol=1e-5)
    np.testing.assert_array_equal(out["cluster_id"].numpy(), cluster)


def test_the_comparison_ranks_as_the_served_model_does(served):
    ask = served.model.signatures
    examples = tf.constant(served.raw)
    queries = ask["embed"](examples=examples)["embedding"].numpy()
    scorer = Scorer(served.encoder, served.histories, served.transitions)
    ranks = scorer.ranks(queries)
    np.testing.assert_array_equal(ask["evaluate"](examples=examples)["rank"].numpy(), ranks)
    assert (served.histories.lengths > served.encoder.tower.max_events).any()
    assert (ranks != scorer.ranks(queries, 0.0)).any()


ASK_THE_C_API = """
import pickle, sys
from pathlib import Path
from components.infra_validator.stand_in.saved_model import SavedModel

model = SavedModel(Path(sys.argv[1]))
requests = pickle.load(sys.stdin.buffer)
answers = [model.run(signature, inputs, 60.0) for signature, inputs in requests]
python = [name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras", "tf_keras")]
pickle.dump((answers, python), sys.stdout.buffer)
"""


def test_the_c_api_gives_the_same_answers_without_python(served):
    """As TensorFlow Serving loads it: a session, stock ops, nothing that Python registers."""

    rows = [tf.train.Example.FromString(raw).features.feature for raw in served.raw[:7]]
    recommend = {
        "item_ids": np.array([row["item_ids"].bytes_list.value for row in rows], object),
        "actions": np.array([row["actions"].bytes_list.value for row in rows], object),
        "timestamps": np.array([row["timestamps"].int64_list.value for row in rows], np.int64),
    }
    requests = [(name, recommend) for name in served.by_columns]
    for signature in ("serving_default", "embed", "evaluate"):
        requests.append((signature, {"examples": np.array(served.raw, object)}))
    done = subprocess.run(
        [sys.executable, "-c", ASK_THE_C_API, served.directory],
        input=pickle.dumps(requests),
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    answers, python = pickle.loads(done.stdout)
    assert python == []
    for (signature, inputs), answer in zip(requests, answers, strict=True):
        constants = {name: tf.constant(values.tolist()) for name, values in inputs.items()}
        if signature in served.by_columns:
            constants["timestamps"] = tf.cast(constants["timestamps"], tf.int64)
        expected = served.model.signatures[signature](**constants)
        assert set(answer) == set(expected)
        for name, values in expected.items():
            if values.dtype == tf.string:
                assert (answer[name] == values.numpy()).mean() > 0.99  # equal scores may swap
            else:
                np.testing.assert_allclose(answer[name], values.numpy(), rtol=1e-4, atol=1e-5)


def test_users_of_no_cluster_get_the_global_encoder_alone(served):
    if served.mixture.geometry.rule.radii is None:
        pytest.skip("no user is noise under this rule")
    out = served.model.signatures["embed"](examples=tf.constant(served.raw))
    cluster, weights = out["cluster_id"].numpy(), out["cluster_weights"].numpy()
    noise = cluster == -1
    assert 0 < noise.sum() < len(noise)
    assert (weights[noise] == [1, 0, 0, 0]).all()
    assert (weights[~noise, 0] < 1).all()
    alone = expected_query(served)
    np.testing.assert_allclose(out["embedding"].numpy()[noise], alone[noise], atol=1e-5)
    assert (abs(out["embedding"].numpy() - alone).max(axis=1)[~noise] > 1e-3).all()


def as_columns(raw):
    """Item ids, actions and times of a serialized history."""
    row = tf.train.Example.FromString(raw).features.feature
    return (
        list(row["item_ids"].bytes_list.value),
        list(row["actions"].bytes_list.value),
        list(row["timestamps"].int64_list.value),
    )


def test_the_signatures(served):
    names = {"serving_default", "recommend", "embed", "evaluate"}
    if not served.encoder.exclude_seen:
        names |= {"recommend_own", "recommend_new"}
    assert set(served.model.signatures) == names


def test_the_shelves_have_the_inputs_and_outputs_of_recommend(served):
    if served.encoder.exclude_seen:
        pytest.skip("all items of its lists are new")
    recommend = served.model.signatures["recommend"]
    for name in ("recommend_own", "recommend_new"):
        shelf = served.model.signatures[name]
        assert shelf.structured_input_signature == recommend.structured_input_signature
        assert shelf.structured_outputs == recommend.structured_outputs


def test_own_items_and_new_ones_make_up_what_is_recommended(served):
    if served.encoder.exclude_seen:
        pytest.skip("all items of its lists are new")
    long = [f"item,{1 + i % 3:03d}" for i in range(40)]  # beyond the encoder's own_events
    histories = [as_columns(raw) for raw in served.raw[:9]]
    histories.append((["item,019", *long], ["buy"] * 41, list(range(41))))
    histories.append(([], [], []))
    for ids, actions, times in histories:
        inputs = {
            "item_ids": tf.constant([ids], tf.string, [1, len(ids)]),
            "actions": tf.constant([actions], tf.string, [1, len(ids)]),
            "timestamps": tf.constant([times], tf.int64, [1, len(ids)]),
        }
        ask = served.model.signatures
        whole, own, new = (
            {
                item: score
                for item, score in zip(
                    out["item_ids"].numpy()[0], out["scores"].numpy()[0], strict=True
                )
                if item
            }
            for out in (ask[f"recommend{shelf}"](**inputs) for shelf in ("", "_own", "_new"))
        )
        known = {tf.compat.as_bytes(item) for item in ids} & set(served.vocabulary)
        assert set(own) <= known
        assert len(own) == min(6, len(known))
        assert not set(new) & known
        assert len(new) == 6
        merged = own | new
        best = sorted(merged, key=lambda item: -merged[item])[:6]
        assert best == list(whole)
        np.testing.assert_allclose([merged[i] for i in best], list(whole.values()), rtol=1e-4)
    # The last one has no history.
    assert not own
    assert new == whole


def test_evaluate_gives_the_place_in_that_ranking(served):
    out = served.model.signatures["evaluate"](examples=tf.constant(served.raw))
    scores, _, _ = expected_scores(served)
    targets = served.histories.next_item
    for row, target, rank in zip(scores, targets, out["rank"].numpy(), strict=True):
        if row[target] > -1e8:  # a target that the user had already is not in the list
            assert abs(rank - (1 + (row > row[target]).sum())) <= 1
    assert (out["catalogue_size"].numpy() == 20).all()


def test_models_are_judged_by_lists_of_one_length(served):
    """Whatever length is served: only the first places of a longer list."""
    found = served.model.signatures["evaluate"](examples=tf.constant(served.raw))
    shown = served.model.signatures["serving_default"](examples=tf.constant(served.raw))
    judged = found["recommended"].numpy()
    assert judged.shape[1] == EVALUATED_ITEMS > shown["item_ids"].shape[1] == 6
    np.testing.assert_array_equal(judged[:, :6], shown["item_ids"].numpy())
    assert (judged[:, 6] != b"").any()


def test_recommend_equals_serving_default(served):
    example = tf.train.Example.FromString(served.raw[3]).features.feature
    ids = list(example["item_ids"].bytes_list.value)
    bare = raw_history(
        item_ids=[i.decode() for i in ids],
        actions=[a.decode() for a in example["actions"].bytes_list.value],
        timestamps=list(example["timestamps"].int64_list.value),
    )
    expected = served.model.signatures["serving_default"](examples=tf.constant([bare]))
    got = served.model.signatures["recommend"](
        item_ids=tf.constant([[*ids, b"", b""]]),
        actions=tf.constant([[*example["actions"].bytes_list.value, b"", b""]]),
        timestamps=tf.constant([[*example["timestamps"].int64_list.value, 0, 0]], tf.int64),
    )
    assert got["item_ids"].numpy().tolist() == expected["item_ids"].numpy().tolist()
    np.testing.assert_allclose(got["scores"], expected["scores"], rtol=1e-5)


@pytest.mark.parametrize(
    "request_",
    [
        raw_history(item_ids=["?"][:0]),
        raw_history(item_ids=["never seen", "nor this"], actions=["odd", "odd"], timestamps=[1, 2]),
        raw_history(item_ids=["item,001"], actions=["steal"], timestamps=[-5]),
        raw_history(item_ids=["item,001"] * 3, prices=[1.0] * 3),
        raw_history(item_ids=["item,001"] * 3, prices=[float("nan")] * 3),
        raw_history(item_ids=["item,001", "item,002"] * 3000),
        b"",
    ],
    ids=["empty", "unknown", "action", "no times", "nan", "long", "nothing"],
)
def test_odd_histories_get_recommendations(served, request_):
    out = served.model.signatures["serving_default"](examples=tf.constant([request_]))
    ids = out["item_ids"].numpy()[0]
    assert ids[0] != b""
    assert len(set(ids.tolist())) == 6
    assert np.isfinite(out["scores"].numpy()).all()
    np.testing.assert_allclose(out["cluster_weights"].numpy().sum(), 1.0, rtol=1e-5)


def test_empty_batches_are_answered(served):
    out = served.model.signatures["serving_default"](examples=tf.constant([], tf.string))
    assert out["item_ids"].shape == (0, 6)
    none = served.model.signatures["recommend"](
        item_ids=tf.zeros([2, 0], tf.string),
        actions=tf.zeros([2, 0], tf.string),
        timestamps=tf.zeros([2, 0], tf.int64),
    )
    assert none["item_ids"].shape == (2, 6)


def test_warm_up_requests_are_what_clients_send(served, tmp_path):
    """Every record is a PredictionLog whose request the model answers, on each signature."""

    histories = [raw_history(item_ids=[]), *served.raw[:3]]
    write_warmup(str(tmp_path), histories, served.by_columns)
    answers = {"serving_default": {}, **{name: {} for name in served.by_columns}}
    for record in tf.data.TFRecordDataset(str(tmp_path / WARMUP_FILE)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(t)) for name, t in request.inputs.items()}
        signature = request.model_spec.signature_name
        out = served.model.signatures[signature](**inputs)
        answers[signature][len(out["item_ids"])] = out["item_ids"].numpy()
    for by_batch_size in answers.values():
        assert set(by_batch_size) == {1, 4}
    # The padding at the end changes nothing; prices and categories are only in the examples.
    assert (answers["recommend"][1] == answers["serving_default"][1]).all()
    lengths = {len(row) for row in answers["recommend"][4]}
    assert lengths == {6}


def test_hostile_requests_get_an_answer_or_an_error(served, monkeypatch):
    """What `benchmarks/serving.py` times; neither a crash nor a list that is not finite."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from hostile_requests import ask_all

    signatures = served.model.signatures
    outcomes = {
        row["request"]: row["outcome"]
        for row in ask_all(signatures, [item.decode() for item in served.vocabulary[1:9]])
    }
    answered = {name for name, outcome in outcomes.items() if "lists of 6" in outcome}
    refused = {"NaN as a time", "no example at all", "lists of unequal length"}
    assert set(outcomes) - answered == refused
    assert all("rror" in outcomes[name] for name in set(outcomes) - answered)
    assert not [outcome for outcome in outcomes.values() if "not finite" in outcome]
    assert outcomes["empty batch"].startswith("0 lists")
