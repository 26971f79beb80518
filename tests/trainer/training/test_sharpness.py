"""How much the encoder counts beside popularity is chosen by what was new to users."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.biased_encoder import biased_encoder
from tests.helpers.item_histories import histories
from trainer.data.histories import Histories
from trainer.encoder.catalogue_forms import as_of_log_end
from trainer.evaluation.scorer import Scorer
from trainer.shelves import NEW
from trainer.training.sharpness import choose_sharpness

ITEMS, USERS = 40, 120


@pytest.fixture
def encoder():
    """Loud about users, of whom it knows nothing; its biases run from -6 to 6."""
    bias = np.random.default_rng(0).permutation(np.linspace(-6, 6, ITEMS))
    return biased_encoder(np.append(0.0, bias), loudness=1.0)


def users_who_take(taken: list[int], seen: list[list[int]]) -> Histories:
    made = histories(*seen)
    return Histories(
        made.columns, made.splits, np.array(taken, np.int32), np.arange(USERS + 1),
        made.first_target,
    )  # fmt: skip


def drawn_histories() -> list[list[int]]:
    rng = np.random.default_rng(1)
    return [(rng.choice(ITEMS, 5, replace=False) + 1).tolist() for _ in range(USERS)]


def test_who_takes_what_is_popular_needs_less_of_the_encoder(encoder):
    bias, seen = encoder.catalogue.item_bias.numpy(), drawn_histories()
    by_bias = np.argsort(-bias[1:]) + 1
    taken = [next(item for item in by_bias if item not in own) for own in seen]
    choice = choose_sharpness(Scorer(encoder, users_who_take(taken, seen)))
    assert choice.sharpness == pytest.approx(0.2)
    assert choice.value > choice.trained + 0.05
    assert float(encoder.catalogue.sharpness) == pytest.approx(0.2)
    assert "0.2 times" in str(choice)


def test_who_takes_what_the_encoder_says_keeps_it_as_trained(encoder):
    seen = drawn_histories()
    nobody = users_who_take([0] * USERS, seen)
    scorer = Scorer(encoder, nobody)
    taken = scorer.shown(scorer.queries(), 1)[1][NEW][:, 0].tolist()
    choice = choose_sharpness(Scorer(encoder, users_who_take(taken, seen)))
    assert choice.sharpness == 1.0
    assert choice.value == choice.trained == pytest.approx(1.0)


def test_what_was_had_before_has_no_say(encoder):
    seen = drawn_histories()
    users = users_who_take([own[-1] for own in seen], seen)
    choice = choose_sharpness(Scorer(encoder, users))
    assert (choice.sharpness, choice.value) == (1.0, 0.0)


def test_every_way_to_score_an_item_knows_it(encoder):
    catalogue = encoder.catalogue
    query, items = tf.random.normal([2, 8], seed=3), tf.constant([[1, 5, 9]] * 2)
    as_trained = catalogue.logits(query).numpy()
    bias = catalogue.item_bias.numpy()[1:]
    catalogue.sharpness.assign(0.5)
    half = catalogue.logits(query).numpy()
    expected = 0.5 * (as_trained[:, 1:] - bias) + bias
    np.testing.assert_allclose(half[:, 1:], expected, rtol=1e-4, atol=1e-4)
    listed = catalogue.listed_logits(query, items).numpy()
    np.testing.assert_allclose(listed, half[:, [1, 5, 9]], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        catalogue.rows(tf.range(1, ITEMS + 1)), catalogue.table()[1:], rtol=1e-6
    )
    served = as_of_log_end(catalogue).logits(query).numpy()
    np.testing.assert_allclose(served, half, rtol=1e-4, atol=1e-4)
