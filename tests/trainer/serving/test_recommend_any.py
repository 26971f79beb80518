"""A request may ask for any event, of a model with target actions."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from cohortrec_client import Client, History
from tests.helpers.raw_histories import raw_history, write_records
from tests.helpers.some_signatures import with_signatures
from tests.helpers.tiny_served_model import tiny_mixture
from tfx_pipeline.cli import main
from tfx_pipeline.serving.local_model import LocalModel
from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.encoder_inputs import ASKED, cut_inputs
from trainer.data.histories import read_histories
from trainer.data.item_features import ItemFeatures
from trainer.data.item_transitions import TransitionBonus, count_transitions
from trainer.data.windows import padded_columns
from trainer.encoder.build_encoder import build_encoder
from trainer.encoder.catalogue import at_period
from trainer.encoder.own_items import own_items_in
from trainer.evaluation.ranking import mask_items
from trainer.serving.cell_index import build_cells
from trainer.serving.export import save_recommender
from trainer.serving.recommender import RECOMMEND_ANY, Recommender

pytestmark = pytest.mark.slow

CONFIG = EncoderConfig(width=8, members=2, layers=2, feedforward=16, max_events=8, own_events=16)
K = 6


@pytest.fixture(scope="module")
def shop(tiny_shop, tmp_path_factory):
    """The tiny shop; its validation histories as they are asked in columns, without prices."""
    names = [name.decode() for name in tiny_shop.graph.vocabulary_by_name("actions")]
    rows = [tf.train.Example.FromString(raw).features.feature for raw in tiny_shop.raw]
    ids = [row["item_ids"].bytes_list.value for row in rows]
    actions = [row["actions"].bytes_list.value for row in rows]
    times = [list(row["timestamps"].int64_list.value) for row in rows]
    stripped = [
        raw_history(item_ids=[i.decode() for i in a], actions=[i.decode() for i in b], timestamps=c)
        for a, b, c in zip(ids, actions, times, strict=True)
    ]
    file = write_records(tmp_path_factory.mktemp("asked") / "histories.gz", stripped)
    training = read_histories(tiny_shop.train, tiny_shop.graph)
    return SimpleNamespace(
        graph=tiny_shop.graph,
        training=training,
        histories=read_histories([file], tiny_shop.graph),
        request={
            "item_ids": tf.constant([list(row) for row in ids]),
            "actions": tf.constant([list(row) for row in actions]),
            "timestamps": tf.constant(times, tf.int64),
        },
        target_actions=[1 + names.index("buy")],
        vocabulary=np.array([b"", *tiny_shop.graph.vocabulary_by_name("items")], object),
        transitions=count_transitions(training, 20).times(3),
    )


def _encoder(shop, target_actions, exclude_seen=False, seed=5):
    """One of random weights; the same for those that ask and those that do not, but for asking."""
    keras.utils.set_random_seed(seed)
    facts = DataFacts.of(shop.training.asking(target_actions), shop.graph, target_actions)
    nothing = ItemFeatures.none(facts.items, "no texts")
    encoder = build_encoder(facts, CONFIG, ServingConfig(exclude_seen=exclude_seen), nothing)
    rng, further = np.random.default_rng(seed), np.random.default_rng(seed + 100)
    for weight in encoder.catalogue.trainable_weights:
        if "asked" not in weight.path:
            weight.assign(rng.normal(0, 0.5, weight.shape))
    for weight in encoder.trainable_weights:
        if "asked" in weight.path:
            weight.assign(further.normal(0, 1, weight.shape))
    if not exclude_seen:
        # The score of own items leans on the encoder in part, and so on the biases.
        encoder.catalogue.repeat_bonus.blends = True
        encoder.catalogue.repeat_bonus.encoder_share.assign(0.4)
    return encoder


@pytest.fixture(scope="module")
def recommender(shop):
    """Gives a recommender that asks or does not, and what it is made of; each is made once."""
    done = {}

    def of(asks, **options):
        key = asks, *sorted(options.items())
        if key not in done:
            done[key] = _recommender(shop, shop.target_actions if asks else [], **options)
        return done[key]

    return of


def _recommender(shop, target_actions, exclude_seen=False, combined=False, approximate=False):
    encoder = _encoder(shop, target_actions, exclude_seen)
    towers = [_encoder(shop, target_actions, exclude_seen, seed).tower for seed in (6, 7)]
    mixture = tiny_mixture(width=16)
    cells = None
    if approximate:
        table = encoder.as_of_log_end().catalogue.table().numpy()[1:]
        cells = build_cells(table, np.random.default_rng(0).normal(size=(20, 17)), 1.0, seed=1)
    made = Recommender(
        shop.graph,
        encoder,
        *((towers, mixture) if combined else ()),
        top_k=K,
        cells=cells,
        transitions=shop.transitions,
    )
    return SimpleNamespace(
        recommender=made,
        signatures=made.signatures(),
        encoder=encoder,
        towers=towers,
        mixture=mixture,
    )


def _expected(shop, made, combined, asked):
    """Scores of all items as training computes them for samples that ask so, and the clusters."""
    columns, splits = padded_columns(shop.histories.columns), shop.histories.splits
    inputs = cut_inputs(columns, tf.constant(splits[:-1]), tf.constant(splits[1:]), 8, 16)
    users = len(splits) - 1
    told = {**inputs, ASKED: tf.fill([users], asked)}
    catalogue = made.encoder.catalogue
    query, weights = made.encoder(told), tf.ones([users, 1])
    if combined:
        # By what users were clustered by.
        _, weights = made.mixture.weights(made.encoder({**inputs, ASKED: tf.ones([users])}))
        vectors = catalogue(inputs["item"], inputs["category"])
        queries = tf.stack([query, *(tower(told, vectors) for tower in made.towers)])
        query = tf.einsum("bk,kbd->bd", weights, queries)
    period = tf.fill([users], catalogue.periods)
    extended = at_period(query, period, catalogue.periods, told[ASKED])
    scores = tf.matmul(extended, catalogue.table(by_period=True), transpose_b=True)
    if not made.encoder.exclude_seen:
        item, bonus = catalogue.own_bonus(query, own_items_in(inputs), period, told[ASKED])
        scores += tf.reduce_sum(tf.one_hot(item, 21) * bonus[..., None], axis=1)
    raised, more = TransitionBonus(shop.transitions).bonus(inputs["item"])
    scores += tf.reduce_sum(tf.one_hot(raised, 21) * more[..., None], axis=1)
    if made.encoder.exclude_seen:
        scores = mask_items(scores, inputs["own_item"])
    return scores.numpy(), weights.numpy()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"combined": True},
        {"exclude_seen": True},
        {"approximate": True},
        {"approximate": True, "exclude_seen": True},
    ],
    ids=lambda options: " ".join(options) or "encoder alone",
)
def test_either_answer_is_what_the_trained_encoder_gives_when_told_so(shop, recommender, options):
    made = recommender(True, **options)
    lists = {}
    for name, asked in (("recommend", 1.0), (RECOMMEND_ANY, 0.0)):
        out = {k: v.numpy() for k, v in made.signatures[name](**shop.request).items()}
        scores, weights = _expected(shop, made, options.get("combined", False), asked)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        np.testing.assert_allclose(
            out["scores"], np.take_along_axis(scores, best, axis=1), rtol=1e-4, atol=1e-4
        )
        assert (out["item_ids"] == shop.vocabulary[best]).mean() > 0.99
        np.testing.assert_allclose(out["cluster_weights"], weights, atol=1e-5)
        lists[name] = out["item_ids"]
    assert (lists["recommend"] != lists[RECOMMEND_ANY]).mean() > 0.3


def test_only_a_model_with_target_actions_has_the_signature(recommender):
    asking, plain = recommender(True), recommender(False)
    assert set(asking.signatures) - set(plain.signatures) == {RECOMMEND_ANY}
    assert not set(plain.signatures) - set(asking.signatures)
    ask, recommend = asking.signatures[RECOMMEND_ANY], asking.signatures["recommend"]
    of_any, of_target = ask.get_concrete_function(), recommend.get_concrete_function()
    assert of_any.structured_input_signature == of_target.structured_input_signature
    assert of_any.output_shapes == of_target.output_shapes
    assert of_any.output_dtypes == of_target.output_dtypes


def _operations(function):
    """How many operations of each kind a signature's graph has, and the sizes of its variables."""
    concrete = function.get_concrete_function()
    graph = concrete.graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    return Counter(node.op for node in nodes), sorted(v.shape.as_list() for v in concrete.variables)


@pytest.mark.parametrize("options", [{}, {"combined": True}, {"approximate": True}])
def test_the_default_graph_is_that_of_a_model_without_target_actions(recommender, options):
    asking, plain = (
        _operations(recommender(asks, **options).signatures["recommend"]) for asks in (True, False)
    )
    assert asking == plain


def test_the_command_asks_for_any_event(shop, recommender, tmp_path, capsys):
    """Of a saved model in a folder, which is what a model server loads."""
    made = recommender(True)
    saved = with_signatures(made.recommender, "recommend", RECOMMEND_ANY)
    save_recommender(saved, str(tmp_path / "3"), {"kind": "combined"})
    history = [i.decode() for i in shop.request["item_ids"].numpy()[0]]
    asked = ["recommend", "--model", str(tmp_path / "3"), "--k", str(K), "--action", "buy"]
    asked += ["--history", ",".join(f'"{i}"' for i in history)]
    client = Client(LocalModel(tmp_path / "3"))

    def listed(*options):
        assert main([*asked, *options]) == 0
        rows = [line.split() for line in capsys.readouterr().out.splitlines()]
        return [row[1] for row in rows if row and row[0].isdigit()]

    for asks in ("target", "any"):
        answer = client.recommend(History(history, "buy"), asks=asks)
        assert listed("--asks", asks) == list(answer.item_ids)
    assert listed() == listed("--asks", "target") != listed("--asks", "any")
    assert main([*asked, "--asks", "any", "--shelf", "own"]) == 2
    assert "shelves are of target actions" in capsys.readouterr().err


def test_the_second_answer_adds_no_second_table(recommender):
    """Its further variables are a bias for each item and a vector for each member."""
    made = recommender(True)
    of_target, of_any = (
        {id(v): v.shape.as_list() for v in made.signatures[n].get_concrete_function().variables}
        for n in ("recommend", RECOMMEND_ANY)
    )
    further = [shape for variable, shape in of_any.items() if variable not in of_target]
    assert sorted(further) == [[2, 1, 8], [21]]
