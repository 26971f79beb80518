"""Masked-item pre-training: what is hidden, what is asked for, and that it teaches something."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.trainer_runs import ONE_MEMBER, fn_args
from trainer.config import EncoderConfig, ServingConfig, TrainingConfig
from trainer.data import features
from trainer.data.data_facts import DataFacts
from trainer.data.histories import Histories, read_histories
from trainer.data.item_features import ItemFeatures
from trainer.data.item_statistics import ItemStatistics
from trainer.encoder.build_encoder import build_encoder
from trainer.encoder_trainer import run_fn
from trainer.training import encoder_fit
from trainer.training.masked_batches import (
    PLACES,
    MaskedBatches,
    hidden_items,
    hide,
    history_windows,
    masked_places,
)
from trainer.training.masked_item_model import MaskedItemModel
from trainer.training.pretraining import pretrain

pytestmark = pytest.mark.slow

ITEMS = 8
UNKNOWN = ITEMS + 1


@pytest.fixture
def histories():
    # Nine events with two unknown items, one event, two unknown ones, three known ones.
    item = np.array([1, 2, UNKNOWN, 3, 4, 5, 6, UNKNOWN, 7, 8, UNKNOWN, UNKNOWN, 1, 2, 3], np.int32)
    columns = {name: np.arange(1, 16, dtype=np.int32) for name in features.EVENT_COLUMNS}
    columns |= {features.ITEM: item, features.TIME: np.arange(15)}
    columns |= {name: np.ones(15, np.float32) for name in (features.PRICE, features.QUANTITY)}
    return Histories(
        columns,
        splits=np.array([0, 9, 10, 12, 15]),
        targets=np.zeros(0, np.int32),
        target_splits=np.zeros(5, np.int64),
        first_target=np.zeros(4, np.int64),
    )


@pytest.fixture
def encoder():
    keras.utils.set_random_seed(8)
    facts = DataFacts(
        items=ITEMS,
        item_counts=np.arange(ITEMS + 1)[::-1],
        item_statistics=ItemStatistics(
            np.zeros(1, np.int64), np.zeros((1, ITEMS + 1, 3), np.float32)
        ),
        item_categories=np.array([0, 1, 2, 1, 2, 1, 2, 1, 2, 0], np.int32),
        categories=3,
        actions=3,
        has_time=True,
        has_price=True,
        repeat_share=0.5,
    )
    config = EncoderConfig(width=8, members=2, layers=2, feedforward=16, max_events=4)
    encoder = build_encoder(facts, config, ServingConfig(), ItemFeatures.none(ITEMS, "no texts"))
    rng = np.random.default_rng(0)
    for variable in encoder.trainable_variables:
        variable.assign(variable.numpy() + rng.normal(0, 0.5, variable.shape))
    return encoder


def events_of(items, **columns):
    items = tf.constant(items, tf.int32)
    events = {name: tf.ones_like(items) for name in features.EVENT_COLUMNS if name != features.TIME}
    for name in (features.PRICE, features.QUANTITY):
        events[name] = tf.ones(items.shape)
    return events | {"item": items} | {k: tf.constant(v, tf.int32) for k, v in columns.items()}


def test_hidden_events_lose_item_category_and_price():
    events = events_of([[4, 6, 2, 0], [5, 1, 3, 7]], category=[[1, 2, 2, 0], [1, 1, 2, 0]])
    places = tf.constant([[1, -1], [3, 0]], tf.int32)
    hidden = hide(events, places, UNKNOWN)
    assert hidden["item"].numpy().tolist() == [[4, UNKNOWN, 2, 0], [UNKNOWN, 1, 3, UNKNOWN]]
    assert hidden["category"].numpy().tolist() == [[1, 0, 2, 0], [0, 1, 2, 0]]
    for name in ("price", "quantity"):
        assert hidden[name].numpy().tolist() == [[1, 0, 1, 1], [0, 1, 1, 0]]
    for name in ("action", "gap", "hour", "weekday"):
        assert hidden[name] is events[name]
    assert hidden_items(events["item"], places).numpy().tolist() == [[6, 0], [7, 5]]


def test_a_hidden_event_does_not_show_its_category_to_the_encoder(encoder):
    places = tf.constant([[1]], tf.int32)
    states = []
    for item, category in ((3, 1), (4, 2)):
        events = events_of([[5, item, 6, 0]], category=[[1, category, 2, 0]])
        states.append(MaskedItemModel(encoder)({**hide(events, places, UNKNOWN), PLACES: places}))
    np.testing.assert_array_equal(*states)


def test_a_share_of_the_known_items_is_hidden():
    rows = {
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2): 4,
        (1, 2, 3, 4, 5, 0, 0, 0, 0, 0): 2,
        (1, 2, 0, 0, 0, 0, 0, 0, 0, 0): 1,
        # Half of four are two, but only one item is known.
        (9, 9, 9, 3, 0, 0, 0, 0, 0, 0): 1,
    }
    items, rng = np.array(list(rows)), np.random.default_rng(0)
    seen = [set() for _ in rows]
    for _ in range(60):
        places = masked_places(items, ITEMS, 0.4, rng)
        assert places.shape == (4, 4)
        for row, chosen, count, places_seen in zip(items, places, rows.values(), seen, strict=True):
            chosen = chosen[chosen >= 0].tolist()
            assert len(set(chosen)) == len(chosen) == count
            assert all(0 < row[place] <= ITEMS for place in chosen)
            places_seen.update(chosen)
    assert seen == [set(range(10)), set(range(5)), {0, 1}, {3}]


def test_one_event_stays_visible():
    places = masked_places(np.array([[1, 2], [1, 2]]), ITEMS, 0.9, np.random.default_rng(0))
    assert (np.sum(places >= 0, axis=1) == 1).all()


def test_windows_cover_whole_histories(histories):
    ends = set()
    for seed in range(30):
        windows = history_windows(histories, ITEMS, 4, np.random.default_rng(seed))
        slices = windows.starts, windows.ends
        lengths = windows.ends - windows.starts
        assert (lengths >= 2).all()
        assert (lengths <= 4).all()
        seen = np.concatenate([np.arange(s, e) for s, e in zip(*slices, strict=True)])
        # Users 1 (one event) and 2 (nothing but unknown items) teach nothing.
        assert set(seen) == {*range(9), 12, 13, 14}
        assert np.bincount(seen).max() <= 2
        ends |= set(windows.ends)
    assert ends == {2, 3, 4, 6, 7, 8, 9, 14, 15}


def test_batches_ask_for_hidden_known_items_only(histories):
    batches = MaskedBatches(
        histories, ITEMS, batch_size=2, windows_per_epoch=100, max_events=4, share=0.5, seed=0
    )
    original = histories.columns["item"]
    asked = set()
    for step, (inputs, targets) in enumerate(batches.dataset()):
        items, places = inputs["item"].numpy(), inputs[PLACES].numpy()
        assert np.sum(targets > 0) <= 2
        for row, place, target in zip(items, places, targets.numpy(), strict=True):
            assert (place >= 0).any()
            assert ((place >= 0) == (target > 0)).all()
            assert (target <= ITEMS).all()
            row = row.copy()
            assert (row[place[place >= 0]] == UNKNOWN).all()
            row[place[place >= 0]] = target[place >= 0]
            window = row[row > 0][::-1].tolist()  # as the log has it
            at = range(len(original))
            assert any(original[i : i + len(window)].tolist() == window for i in at)
            asked |= set(target.tolist()) - {0}
        if step == 100:
            break
    assert asked == {1, 2, 3, 4, 5, 6, 7}  # 8 is alone in its history


def test_same_seed_same_batches_and_epochs_differ(histories):
    def targets(seed, epoch):
        batches = MaskedBatches(histories, ITEMS, 4, 100, 4, 0.5, seed)
        stream = iter(batches.dataset(first_epoch=epoch))
        return [next(stream)[1].numpy().tolist() for _ in range(batches.steps_per_epoch)]

    assert targets(1, 0) == targets(1, 0)
    assert any(targets(1, 0) != targets(1, epoch) for epoch in range(1, 4))
    assert any(targets(1, 0) != targets(seed, 0) for seed in range(2, 5))


def test_histories_without_two_events_are_an_error(histories):
    with pytest.raises(ValueError, match="training.pretraining_epochs.*two events"):
        MaskedBatches(histories.take(np.array([1, 2])), ITEMS, 4, 100, 4, 0.5, 0)


def test_first_state_is_the_query(encoder):
    events = events_of([[3, 5, 0, 0], [1, 2, 8, 7]])
    vectors = encoder.catalogue(events["item"], events["category"])
    states = encoder.tower.states(events, vectors)
    assert states.shape == (2, 4, 16)
    np.testing.assert_allclose(states[:, 0], encoder.tower(events, vectors), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sampled", [None, ITEMS], ids=["full", "sampled"])
def test_loss_is_the_mean_surprise_of_the_hidden_items(encoder, sampled):
    tf.random.set_seed(1)  # of the items that are drawn
    events = events_of([[UNKNOWN, 5, 0, 0], [1, UNKNOWN, 8, UNKNOWN]])
    places, targets = [[0, -1], [3, 1]], [[2, 0], [7, 4]]
    model = MaskedItemModel(encoder, sampled)
    outputs = model({**events, PLACES: tf.constant(places, tf.int32)})
    got = float(model.compute_loss(y=tf.constant(targets, tf.int32), y_pred=outputs))

    vectors = encoder.catalogue(events["item"], events["category"])
    table = encoder.catalogue.table().numpy()
    losses = []
    for m, tower in enumerate(encoder.tower.members):
        part = slice(8 * m, 8 * m + 8)
        states = tower.states(events, vectors[..., part]).numpy()
        for row, place, target in ((0, 0, 2), (1, 3, 7), (1, 1, 4)):
            scores = table[1:, part] @ states[row, place] + table[1:, -1]
            losses.append(np.log(np.exp(scores).sum()) - scores[target - 1])
    # All items are drawn: the sampled loss is the full one but for the estimated correction,
    # which is up to some per cent off, by draw.
    assert got == pytest.approx(np.mean(losses), rel=5e-2 if sampled else 1e-5)
    assert np.std(losses) > 1e-3


@pytest.fixture
def shop_encoder(tiny_shop):
    train = read_histories(tiny_shop.train, tiny_shop.graph)
    facts = DataFacts.of(train, tiny_shop.graph)

    def build():
        keras.utils.set_random_seed(3)
        return build_encoder(
            facts,
            EncoderConfig(**ONE_MEMBER["encoder"]),
            ServingConfig(),
            ItemFeatures.none(facts.items, "no texts"),
        )

    return train, build


def pretraining_settings(epochs):
    return TrainingConfig(
        pretraining_epochs=epochs, masked_share=0.2, batch_size=64, learning_rate=0.02
    )


def test_pretraining_learns_and_repeats_itself(shop_encoder, tmp_path):
    train, build = shop_encoder
    config = pretraining_settings(12)
    encoders, figures = [build(), build()], []
    for name, encoder in zip("ab", encoders, strict=True):
        figures.append(
            pretrain(
                encoder, train, config, sampled_items=None, seed=0, checkpoints=tmp_path / name
            )
        )
        assert encoder.catalogue.repeat_bonus.trainable
    losses = [[epoch["loss"] for epoch in run] for run in figures]
    assert [epoch["epoch"] for epoch in figures[0]] == list(range(1, 13))
    # Guessing among all items gives log 20 = 3.0, among those of the user's circle log 10 = 2.3.
    assert losses[0][0] > 2.9
    assert losses[0][-1] < 2.5
    assert losses[0] == losses[1]
    for first, second in zip(*(encoder.get_weights() for encoder in encoders), strict=True):
        np.testing.assert_array_equal(first, second)


def test_interrupted_pretraining_goes_on_and_a_finished_one_is_kept(
    shop_encoder, tmp_path, monkeypatch, caplog
):
    class PowerCutError(Exception):
        pass

    def cut(self, epoch, logs=None):
        if epoch == 2:
            raise PowerCutError
        return saved(self, epoch, logs)

    train, build = shop_encoder
    arguments = {"sampled_items": None, "seed": 0, "checkpoints": tmp_path}
    saved = keras.callbacks.BackupAndRestore.on_epoch_end
    with monkeypatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr(keras.callbacks.BackupAndRestore, "on_epoch_end", cut)
        pretrain(build(), train, pretraining_settings(4), **arguments)
    # What the first run said depends on the log level that earlier tests left behind.
    caplog.clear()
    with caplog.at_level("INFO", logger="cohortrec.progress"):
        finished = build()
        figures = pretrain(finished, train, pretraining_settings(4), **arguments)
    # The third epoch was not saved, so it is run again.
    shown = [r.message.split("  ")[0] for r in caplog.records]
    assert shown == ["pre-training epoch 3/4", "pre-training epoch 4/4"]
    assert [epoch["epoch"] for epoch in figures] == [1, 2, 3, 4]

    caplog.clear()
    restarted = build()
    assert pretrain(restarted, train, pretraining_settings(4), **arguments) == figures
    assert not caplog.records
    for first, second in zip(finished.get_weights(), restarted.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.usefixtures("without_export")
def test_encoder_trainer_goes_on_from_the_pretrained_weights(
    tiny_shop, tmp_path, monkeypatch, caplog
):
    table = {}

    def noted_pretrain(encoder, *arguments, **named):
        table["new"] = encoder.catalogue.item_embedding.embeddings.numpy()
        figures = pretrain(encoder, *arguments, **named)
        table["pretrained"] = encoder.catalogue.item_embedding.embeddings.numpy()
        return figures

    def noted_fit(model, *arguments, **named):
        table["start"] = model.encoder.catalogue.item_embedding.embeddings.numpy()
        return fit(model, *arguments, **named)

    pretrain, fit = encoder_fit.pretrain, encoder_fit.fit
    monkeypatch.setattr(encoder_fit, "pretrain", noted_pretrain)
    monkeypatch.setattr(encoder_fit, "fit", noted_fit)
    settings = {**ONE_MEMBER["training"], "epochs": 2, "pretraining_epochs": 2, "masked_share": 0.3}
    with caplog.at_level("INFO", logger="cohortrec.progress"):
        run_fn(fn_args(tmp_path, tiny_shop, {**ONE_MEMBER, "training": settings}))
    np.testing.assert_array_equal(table["start"], table["pretrained"])
    assert not np.array_equal(table["new"], table["pretrained"])
    figures = json.loads((tmp_path / "run" / "training.json").read_text())
    assert [set(epoch) for epoch in figures["pretraining"]] == [{"epoch", "loss", "seconds"}] * 2
    assert [epoch["epoch"] for epoch in figures["epochs"]] == [1, 2]
    shown = [r.message for r in caplog.records if "epoch " in r.message]
    assert [message.split("  ")[0] for message in shown] == [
        *("pre-training epoch 1/2", "pre-training epoch 2/2", "epoch 1/2", "epoch 2/2")
    ]
    assert not list((tmp_path / "checkpoints").iterdir())
