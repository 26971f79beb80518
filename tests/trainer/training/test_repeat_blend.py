"""How much own items lean on the encoder is chosen by what the validation users took."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.biased_encoder import biased_encoder
from tests.helpers.item_histories import histories
from trainer.data.histories import Histories
from trainer.evaluation.scorer import Scorer
from trainer.training.repeat_blend import choose_blend

ITEMS, USERS = 40, 60


@pytest.fixture
def encoder():
    """It scores items by a bias that is drawn, and hardly by anything else."""
    bias = np.random.default_rng(0).uniform(-20, 0, ITEMS + 1)
    return biased_encoder(bias, loudness=0.01)


def users_who_take(choose) -> Histories:
    """Each has 15 items, had once to four times, and takes one of them next."""
    rng = np.random.default_rng(1)
    seen = []
    for _ in range(USERS):
        own = rng.choice(ITEMS, 15, replace=False) + 1
        seen.append(rng.permutation(np.repeat(own, rng.integers(1, 5, 15))).tolist())
    made = histories(*seen)
    return Histories(
        made.columns,
        made.splits,
        np.array([choose(items) for items in seen], np.int32),
        np.arange(USERS + 1),
        made.first_target,
    )


def test_counting_wins_where_the_encoder_is_noise(encoder):
    users = users_who_take(lambda items: max(set(items), key=items.count))
    blend = choose_blend(Scorer(encoder, users))
    bonus = encoder.catalogue.repeat_bonus
    assert blend.encoder_share < 0.5
    assert blend.curves > blend.alone + 0.2
    assert blend.value >= blend.curves
    assert bonus.blends
    assert float(bonus.encoder_share) == blend.encoder_share
    assert float(bonus.offset) == pytest.approx(blend.offset)
    assert "% the encoder's" in str(blend)


def test_the_encoder_wins_where_it_knows_more(encoder):
    bias = 10 * encoder.catalogue.item_bias.numpy()
    encoder.catalogue.item_bias.assign(bias)
    encoder.catalogue.repeat_bonus.out.bias.assign([500.0])  # All own items come first.
    users = users_who_take(lambda items: max(set(items), key=lambda item: bias[item]))
    blend = choose_blend(Scorer(encoder, users))
    assert blend.encoder_share == 1.0
    assert blend.value == blend.alone > blend.curves
    assert not encoder.catalogue.repeat_bonus.blends, "what is not used costs nothing"
