"""Encoders that are told whether a target action is asked for."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.item_histories import histories
from tests.helpers.towers import events, towers
from tests.helpers.trainer_runs import ONE_MEMBER, TINY, fn_args
from trainer.config import EncoderConfig, LabelConfig, ServingConfig
from trainer.data import features
from trainer.data.data_facts import DataFacts
from trainer.data.encoder_data import TrainingDataError
from trainer.data.encoder_inputs import ASKED
from trainer.data.histories import Histories, read_histories
from trainer.data.item_features import ItemFeatures
from trainer.data.item_transitions import count_transitions
from trainer.data.sampling import SampleBatches
from trainer.encoder.build_encoder import build_encoder
from trainer.encoder_trainer import run_fn as train_encoder
from trainer.evaluation.scorer import Scorer
from trainer.inference.stacked_towers import StackedTowers
from trainer.serving.export import load_encoder
from trainer.serving.recommender import Recommender
from trainer.specialist_trainer import run_fn as train_specialist
from trainer.training.next_item_model import NextItemModel

VIEW, BUY = 1, 2


def _batches(split, **changes):
    given = {
        "items": 9, "batch_size": 8, "samples_per_epoch": 100, "max_targets": 4, "later_items": 0,
        "max_events": 8, "own_events": 0, "seed": 0,
    }  # fmt: skip
    return SampleBatches(split, **(given | changes))


def _shown(batches):
    """By prefix (newest item first), whether a purchase is asked for, and the targets."""
    found = {}
    for inputs, targets in batches.dataset().take(40 * batches.steps_per_epoch):
        asked = inputs[ASKED].numpy() if ASKED in inputs else np.zeros(len(targets)) - 1
        for items, kind, wanted in zip(inputs["item"].numpy(), asked, targets.numpy(), strict=True):
            key = tuple(int(i) for i in items if i)
            found.setdefault(key, set()).add((int(kind), tuple(sorted(w for w in wanted if w))))
    return found


def _one_shop() -> Histories:
    """A view, a view and two purchases at once, a view, a purchase of an unknown item."""
    one = histories([1, 2, 3, 4, 5, 10], times=[np.array([0, 1, 1, 1, 2, 3])])
    action = np.array([VIEW, VIEW, BUY, BUY, VIEW, BUY], np.int32)
    return dataclasses.replace(one, columns={**one.columns, features.ACTION: action})


def test_samples_with_purchases_ask_for_these_and_others_for_any_event():
    shown = _shown(_batches(_one_shop().asking([BUY])))
    assert shown == {
        (): {(0, (1,))},
        (1,): {(1, (3, 4))},
        (4, 3, 2, 1): {(0, (5,))},
    }
    assert _shown(_batches(_one_shop()))[(1,)] == {(-1, (2, 3, 4))}


def test_what_comes_later_has_the_action_too():
    split = _one_shop()
    split.columns[features.ITEM][5] = 6
    shown = _shown(_batches(split.asking([BUY]), later_items=3))
    assert shown[(1,)] == {(1, (3, 4, 6))}
    assert shown[()] == {(0, (1, 2, 3, 4))}


def test_a_period_asks_for_its_purchases():
    split = _one_shop()
    split.columns[features.ITEM][5] = 6
    shown = _shown(_batches(split.asking([BUY]), period=2.0, first_is_next=False))
    assert shown[()] == {(1, (3, 4))}
    assert shown[(4, 3, 2, 1)] == {(1, (6,))}


def test_every_action_draws_the_same_batches_as_before():
    split = _one_shop()
    everything = split.asking([VIEW, BUY])
    for (plain, a), (asked, b) in zip(
        _batches(split).dataset().take(5), _batches(everything).dataset().take(5), strict=True
    ):
        np.testing.assert_array_equal(a, b)
        assert ASKED not in plain
        assert (asked[ASKED].numpy() == 1).all()


def test_a_quarter_of_an_epoch_asks_for_purchases():
    """However few there are; all other samples are still drawn, once each."""
    one = histories(list(range(1, 10)) * 20)
    action = np.full(180, VIEW, np.int32)
    action[[50, 120]] = BUY
    one = dataclasses.replace(one, columns={**one.columns, features.ACTION: action})
    batches = _batches(one.asking([BUY]), samples_per_epoch=10_000)
    asked, newest = [], []
    for inputs, targets in batches.dataset().take(batches.steps_per_epoch):
        asked += inputs[ASKED].numpy().tolist()
        newest += targets.numpy()[:, 0].tolist()
    assert 0.25 <= np.mean(asked) < 0.26
    others = np.bincount([t for t, kind in zip(newest, asked, strict=True) if not kind])
    assert others.sum() in (177, 178)  # with or without the one from an empty history
    assert len(_batches(one.asking([BUY]))) == len(_batches(one))


def test_parts_keep_what_is_wanted():
    split = _one_shop().asking([BUY])
    joined = Histories.joined([split, split])
    assert joined.take(np.array([1])).wanted.tolist() == split.wanted.tolist()
    assert Histories.joined([_one_shop(), _one_shop()]).wanted is None


@pytest.fixture(scope="module")
def shop(tiny_shop):
    """The tiny shop's histories, and encoders of random weights that ask or do not."""
    names = [name.decode() for name in tiny_shop.graph.vocabulary_by_name("actions")]
    actions = [1 + names.index("buy")]
    split = read_histories(tiny_shop.validation, tiny_shop.graph).asking(actions)
    config = EncoderConfig(width=8, members=2, layers=1, feedforward=16, max_events=8)

    def built(target_actions):
        keras.utils.set_random_seed(5)
        told = split if target_actions else dataclasses.replace(split, wanted=None)
        facts = DataFacts.of(told, tiny_shop.graph, target_actions)
        nothing = ItemFeatures.none(facts.items, "no texts")
        encoder = build_encoder(facts, config, ServingConfig(exclude_seen=False), nothing)
        rng = np.random.default_rng(0)
        for weight in encoder.trainable_weights:
            if "asked" in weight.path:
                weight.assign(rng.normal(0, 1, weight.shape))
        return encoder

    return split, built(actions), built([])


def test_without_target_actions_there_is_no_further_variable(shop):
    _, asking, plain = shop
    names = [weight.path for weight in plain.weights]
    assert not any("asked" in name for name in names)
    further = [w for w in asking.weights if "asked" in w.path]
    assert len(asking.weights) == len(plain.weights) + len(further)
    assert sorted(tuple(weight.shape) for weight in further) == [(1, 8), (1, 8), (21,)]
    # All others start alike.
    rest = [w for w in asking.weights if "asked" not in w.path]
    assert [w.shape for w in rest] == [w.shape for w in plain.weights]


def test_the_bias_starts_at_what_asking_changes_in_popularity(shop):
    _, _, plain = shop
    asking = type(plain.catalogue)(3, 0, False, 8, asks=True)
    asking.build()
    asking.set_asked_share(np.array([0, 1000, 1000, 0]), np.array([0, 190, 10, 0]))
    # Half of the events, nearly all purchases; the item without events stays where it is.
    np.testing.assert_allclose(
        asking.biases.asked.numpy(), [0, np.log(195 / 105), np.log(15 / 105), 0], atol=1e-6
    )


def test_stacked_towers_are_those_that_are_asked_for_a_target_action():
    made = towers(2, 2, 2)
    told = []
    for tower in made:
        copy = type(tower).from_config({**tower.get_config(), "asks": True})
        copy.build()
        theirs = iter(tower.get_weights())
        for weight in copy.weights:
            asked = "asked" in weight.path
            weight.assign(np.linspace(-1, 2, 8)[None] if asked else next(theirs))
        told.append(copy)
    given = events(6)
    vectors = np.random.default_rng(2).normal(size=(2, 3, 6, 8)).astype(np.float32)

    def answers(kind):
        inputs = given if kind is None else {**given, ASKED: tf.constant(kind)}
        return np.array([t(inputs, v).numpy() for t, v in zip(told, vectors, strict=True)])

    served = StackedTowers(told)(given, vectors).numpy()
    np.testing.assert_allclose(served, answers(None), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(served, answers([1.0, 1.0, 1.0]), rtol=1e-4, atol=1e-5)
    plain = np.array([t(given, v).numpy() for t, v in zip(made, vectors, strict=True)])
    np.testing.assert_allclose(answers([0.0, 0.0, 0.0]), plain, rtol=1e-4, atol=1e-5)
    mixed = answers([0.0, 1.0, 0.0])
    np.testing.assert_allclose(mixed[:, [0, 2]], plain[:, [0, 2]], rtol=1e-4, atol=1e-5)
    assert np.abs(served - plain).max(axis=(0, 2)).min() > 0.01


def test_the_bias_counts_where_a_target_action_is_asked_for(shop):
    """In the loss for those samples alone; in all scores that are served."""
    _, asking, _ = shop
    bias = asking.catalogue.biases.asked
    model = NextItemModel(asking, LabelConfig(max_targets=1))
    model.build()
    events = {
        name: tf.zeros([2, 3], tf.float32 if name in ("price", "quantity") else tf.int32)
        for name in features.EVENT_COLUMNS
    }
    events |= {"next_time": tf.zeros([2], tf.int64), features.ITEM: tf.constant([[1, 2, 3]] * 2)}
    y = tf.constant([[4] + [0] * model.later_items] * 2)

    def losses(kind):
        inputs = {**events, ASKED: tf.constant([kind, kind])}
        return float(model.compute_loss(y=y, y_pred=model(inputs)))

    before = losses(0.0), losses(1.0)
    scores = asking.catalogue.logits(asking(events)).numpy()
    kept = bias.numpy()
    bias.assign(kept + 3.0 * (np.arange(21) == 4))
    assert losses(0.0) == pytest.approx(before[0])
    assert losses(1.0) < before[1] - 0.5
    changed = asking.catalogue.logits(asking(events)).numpy() - scores
    np.testing.assert_allclose(changed[:, 4], 3.0, atol=1e-4)
    np.testing.assert_allclose(np.delete(changed, 4, axis=1), 0.0, atol=1e-4)
    bias.assign(kept)


def test_what_is_served_is_what_was_judged(shop, tiny_shop):
    split, asking, _ = shop
    scorer = Scorer(asking, split)
    ranks = scorer.ranks(scorer.queries())
    served = Recommender(tiny_shop.graph, asking).signatures()["evaluate"]
    found = served(tf.constant(tiny_shop.raw))["rank"].numpy()
    np.testing.assert_array_equal(found, ranks)
    assert asking.as_of_log_end().target_actions == asking.target_actions


def test_transitions_are_counted_from_every_action():
    every, asked = (
        count_transitions(split, 9) for split in (_one_shop(), _one_shop().asking([BUY]))
    )
    for mine, theirs in zip(dataclasses.astuple(every), dataclasses.astuple(asked), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
@pytest.mark.usefixtures("without_export")
def test_trainers_pass_on_what_is_asked_for(tiny_shop, tmp_path):
    training = {**ONE_MEMBER["training"], "epochs": 1, "pretraining_epochs": 1}
    settings = {**ONE_MEMBER, "training": training}
    args = fn_args(tmp_path / "encoder", tiny_shop, {**settings, "target_actions": ["buy"]})
    train_encoder(args)
    record = json.loads((tmp_path / "encoder/run/training.json").read_text())
    assert record["derived"]["target_actions"] == {
        "value": "buy", "why": "data.target_actions; 75.0% of the training events",
    }  # fmt: skip
    encoder = load_encoder(args.serving_model_dir)
    assert len(encoder.target_actions) == 1
    assert np.abs(encoder.tower.asked.embeddings.numpy()).max() > 0

    specialist = fn_args(
        tmp_path / "specialist",
        tiny_shop,
        {"specialists": {"epochs": 1, "min_samples": 1}},
        name="k",
    )
    specialist.base_model = args.serving_model_dir
    train_specialist(specialist)
    assert load_encoder(specialist.serving_model_dir).target_actions == encoder.target_actions


def test_an_action_that_training_has_not_is_told(tiny_shop, tmp_path):
    args = fn_args(tmp_path, tiny_shop, {**TINY, "target_actions": ["refund"]})
    with pytest.raises(TrainingDataError, match=r"'refund' of data\.target_actions; .*buy, view"):
        train_encoder(args)
