"""The behaviour head: served as judged, on where it knows something, off where it does not."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.cluster_combiner.behavior_head import ENOUGH_MOMENTS, Seen, fit_figure, head_inputs
from tests.helpers.fine_tuning import in_part
from tests.helpers.raw_histories import raw_history, write_records
from tests.helpers.tiny_shop import TinyShop
from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.histories import read_histories
from trainer.data.item_features import ItemFeatures
from trainer.encoder.build_encoder import build_encoder
from trainer.serving.behavior_head import BUYS_NEXT, BUYS_WITHIN, BehaviorHead, HeadInputs
from trainer.serving.recommender import Recommender
from trainer.training.behavior_fit import LogisticLine


def seen(n: int, share: float, knows: float, seed: int) -> Seen:
    """Moments of which the first of three inputs knows something."""
    rng = np.random.default_rng(seed)
    happened = rng.random(n) < share
    inputs = rng.normal(size=(n, 3)).astype(np.float32)
    inputs[:, 0] += knows * happened
    return Seen(inputs, happened, np.arange(n) // 3)


def splits(knows: float, **sizes: int) -> dict[str, Seen]:
    sizes = {"train": 3000, "validation": 1500, "test": 1500, **sizes}
    return {name: seen(n, 0.2, knows, seed) for seed, (name, n) in enumerate(sizes.items())}


def test_what_is_known_is_served_calibrated() -> None:
    line, found = fit_figure(splits(1.5), min_auc=0.6, seed=1)
    assert line is not None
    assert found.served
    # Two normals that are 1.5 apart: Phi(1.5 / sqrt(2)).
    assert found.auc == pytest.approx(0.856, abs=0.03)
    assert found.low is not None
    assert found.high is not None
    assert 0.6 < found.low < 0.856 < found.high
    assert found.predicted == pytest.approx(found.observed, abs=0.03)
    assert len(found.bins) == 10
    for group in found.bins:
        assert group.observed == pytest.approx(group.predicted, abs=0.15)
    assert found.why.startswith("on, validation AUC 0.8")


def test_what_is_not_known_is_off() -> None:
    line, found = fit_figure(splits(0.0), min_auc=0.6, seed=1)
    assert line is None
    assert not found.served
    assert found.auc == pytest.approx(0.5, abs=0.06)
    assert "not above 0.6" in found.why


def test_validation_decides_and_test_does_not() -> None:
    mixed = {**splits(1.5), "test": splits(0.0)["test"]}
    assert fit_figure(mixed, min_auc=0.6, seed=1)[1].served
    assert not fit_figure({**mixed, "validation": mixed["test"]}, min_auc=0.6, seed=1)[1].served


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_too_few_moments_are_off_and_counted(split: str) -> None:
    few = splits(1.5, **{split: 40})
    line, found = fit_figure(few, min_auc=0.6, seed=1)
    assert line is None
    assert found.auc is None
    assert f"of 40 {split} moments have the action; at least {ENOUGH_MOMENTS}" in found.why
    nothing = few[split]
    always = Seen(nothing.inputs, np.ones(40, bool), nothing.user)
    assert not fit_figure({**few, split: always}, min_auc=0.6, seed=1)[1].served
    unknown = {**few, split: seen(0, 0.2, 1.5, seed=1)}
    why = fit_figure(unknown, min_auc=0.6, seed=1)[1].why
    assert why == f"off, the log is too short to know of any {split} moment what followed"


def test_inputs_by_hand() -> None:
    made = HeadInputs.of(known=2)
    query = tf.constant([[0.5], [0.25], [0.0]])
    # Newest first: a view, a purchase 60 seconds before it, and another action that is rare.
    action = tf.constant([[1, 2, 3, 1], [1, 1, 0, 0], [0, 0, 0, 0]])
    time = tf.constant([[100, 40, 30, 0], [7, 7, 0, 0], [0, 0, 0, 0]], tf.int64)
    np.testing.assert_allclose(
        made(query, action, time),
        [
            [0.5, np.log(5), 2 / 4, 1 / 4, 1, 0, 1, 1, 0, np.log(61)],
            [0.25, np.log(3), 1, 0, 1, 0, 1, 0, 0, 0],
            [0.0] * 10,
        ],
        rtol=1e-6,
    )


@pytest.mark.slow
def test_the_served_figures_are_those_that_were_judged(tiny_shop: TinyShop, tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    # Histories of 1 to 12 events.
    raw = [in_part(record, user) for user, record in enumerate(tiny_shop.raw)]
    histories = read_histories([write_records(tmp_path / "raw.gz", raw)], tiny_shop.graph)
    config = EncoderConfig(width=8, members=2, layers=1, feedforward=16, max_events=8)
    facts = DataFacts.of(histories, tiny_shop.graph)
    nothing = ItemFeatures.none(facts.items, "no texts")
    encoder = build_encoder(facts, config, ServingConfig(), nothing)
    made = HeadInputs.of(known=2)
    inputs = head_inputs(encoder, made, histories)
    rng = np.random.default_rng(0)
    lines = {
        name: LogisticLine(rng.normal(0, 0.3, inputs.shape[1]), bias)
        for name, bias in ((BUYS_NEXT, -0.5), (BUYS_WITHIN, 0.5))
    }
    head = BehaviorHead(made, {name: (line.weights, line.bias) for name, line in lines.items()})

    def embedded(examples: list[bytes], head: BehaviorHead | None) -> dict[str, np.ndarray]:
        served = Recommender(tiny_shop.graph, encoder, head=head).signatures()["embed"]
        return {name: value.numpy() for name, value in served(tf.constant(examples)).items()}

    found, plain = embedded(raw, head), embedded(raw, None)
    assert set(found) == {*plain, BUYS_NEXT, BUYS_WITHIN}
    for name, values in plain.items():
        np.testing.assert_array_equal(found[name], values)
    for name, line in lines.items():
        assert found[name].shape == (len(raw),)
        np.testing.assert_allclose(found[name], line(inputs), atol=1e-5)
        assert np.ptp(found[name]) > 0.1
    # Empty histories, unknown actions and times out of order get an answer too.
    odd = [
        raw_history(item_ids=[]),
        raw_history(item_ids=["?"], actions=["?"], timestamps=[0]),
        raw_history(item_ids=["?", "?"], actions=["buy", "view"], timestamps=[2_000_000_000, 0]),
    ]
    answers = embedded(odd, head)[BUYS_NEXT]
    assert ((answers > 0) & (answers < 1)).all()
