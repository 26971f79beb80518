"""How much neighbours of own items count is chosen by what was new to users."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.biased_encoder import biased_encoder
from tests.helpers.item_histories import histories
from trainer.data.histories import Histories
from trainer.evaluation.baselines import item_knn
from trainer.evaluation.scorer import Scorer
from trainer.training.neighbour_fit import fit_neighbours

ITEMS, USERS, GROUP = 60, 300, 6


@pytest.fixture
def encoder():
    """Says of every item the same."""
    return biased_encoder(np.zeros(ITEMS + 1), loudness=0.0)


def shoppers(rng: np.random.Generator, next_from_group: bool) -> Histories:
    """Each user has four of a group of items that go together.

    He takes another one of the group next, or else what is first in the catalogue and not of it.
    """
    seen, taken = [], []
    for _ in range(USERS):
        first = GROUP * int(rng.integers(0, ITEMS // GROUP)) + 1
        group = (first + rng.permutation(GROUP)).tolist()
        seen.append(group[:4])
        taken.append(group[4] if next_from_group else 1 if first > 1 else GROUP + 1)
    made = histories(*seen)
    return Histories(
        made.columns, made.splits, np.array(taken, np.int32), np.arange(USERS + 1),
        made.first_target,
    )  # fmt: skip


def test_what_goes_together_is_found(encoder):
    rng = np.random.default_rng(0)
    fit = fit_neighbours(Scorer(encoder, shoppers(rng, True)), shoppers(rng, True), seed=1)
    assert fit.weight > 0
    assert encoder.catalogue.neighbours.used
    # Two of a group are new to a user: the one taken stands first or second.
    assert fit.value > 0.7 > 0.2 > fit.without
    assert "neighbours of own items count" in str(fit)


def test_who_takes_something_else_has_none(encoder):
    encoder.catalogue.item_bias.assign(-0.01 * np.arange(ITEMS + 1))
    rng = np.random.default_rng(0)
    fit = fit_neighbours(Scorer(encoder, shoppers(rng, False)), shoppers(rng, True), seed=1)
    assert (fit.weight, fit.value) == (0.0, fit.without)
    assert not encoder.catalogue.neighbours.used


def test_a_log_that_is_too_large_has_none(encoder, monkeypatch):
    monkeypatch.setattr(item_knn, "_MOST_PRODUCTS", 10)
    log = shoppers(np.random.default_rng(0), True)
    fit = fit_neighbours(Scorer(encoder, log), log, seed=1)
    assert fit.weight == 0
    assert not encoder.catalogue.neighbours.used
    assert "item-kNN takes at most" in str(fit)


def test_the_same_seed_gives_the_same_choice(encoder):
    log = shoppers(np.random.default_rng(2), True)
    first = fit_neighbours(Scorer(encoder, log), log, seed=3)
    near = encoder.catalogue.neighbours.neighbours.numpy()
    encoder.catalogue.neighbours.used = False
    assert fit_neighbours(Scorer(encoder, log), log, seed=3) == first
    np.testing.assert_array_equal(near, encoder.catalogue.neighbours.neighbours)
