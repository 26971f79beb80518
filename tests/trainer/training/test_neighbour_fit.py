"""How much neighbours of own items count is chosen by what was new to users."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.biased_encoder import biased_encoder
from tests.helpers.item_histories import histories
from trainer.data.histories import Histories
from trainer.evaluation.baselines import item_knn
from trainer.training.neighbour_fit import fit_neighbours

ITEMS, USERS, GROUP = 60, 300, 6


@pytest.fixture
def encoder():
    """Says of every item the same."""
    return biased_encoder(np.zeros(ITEMS + 1), loudness=0.0)


def taken_by_groups(rng: np.random.Generator, next_from: str) -> Histories:
    """Each user has four of a group of items that go together, and takes a fifth one next."""
    seen, taken = [], []
    for _ in range(USERS):
        group = GROUP * rng.integers(0, ITEMS // GROUP) + 1 + rng.permutation(GROUP)
        seen.append(group[:4].tolist())
        taken.append(int(group[4]) if next_from == "group" else int(rng.integers(1, ITEMS + 1)))
    made = histories(*seen)
    return Histories(
        made.columns, made.splits, np.array(taken, np.int32), np.arange(USERS + 1),
        made.first_target,
    )  # fmt: skip


def test_what_goes_together_is_found(encoder):
    rng = np.random.default_rng(0)
    fit = fit_neighbours(
        encoder, taken_by_groups(rng, "group"), taken_by_groups(rng, "group"), seed=1
    )
    assert fit.weight > 0 and encoder.catalogue.raises_neighbours
    # Two of a group are new to a user: the one taken stands first or second.
    assert fit.value > 0.7 > 0.2 > fit.without
    assert "neighbours of own items count" in str(fit)


def test_where_nothing_goes_together_nothing_is_raised(encoder):
    # The next item is drawn from all, so that a neighbour is right no more often than another.
    rng = np.random.default_rng(4)
    training = taken_by_groups(rng, "group")
    by_bias = np.zeros(ITEMS + 1)
    by_bias[1:11] = 5.0  # ten items that everybody takes next
    encoder.catalogue.item_bias.assign(by_bias)
    users = taken_by_groups(rng, "all")
    users.targets[:] = rng.integers(1, 11, USERS)
    fit = fit_neighbours(encoder, training, users, seed=1)
    assert fit.value >= fit.without
    if fit.weight == 0:
        assert not encoder.catalogue.raises_neighbours


def test_a_log_that_is_too_large_has_none(encoder, monkeypatch):
    monkeypatch.setattr(item_knn, "_MOST_PRODUCTS", 10)
    rng = np.random.default_rng(0)
    log = taken_by_groups(rng, "group")
    fit = fit_neighbours(encoder, log, log, seed=1)
    assert fit.weight == 0 and not encoder.catalogue.raises_neighbours
    assert "item-kNN takes at most" in str(fit)


def test_the_same_seed_gives_the_same_choice(encoder):
    log = taken_by_groups(np.random.default_rng(2), "group")
    first = fit_neighbours(encoder, log, log, seed=3)
    near = encoder.catalogue.neighbours.neighbours.numpy()
    encoder.catalogue.neighbours.used = False
    assert fit_neighbours(encoder, log, log, seed=3) == first
    np.testing.assert_array_equal(near, encoder.catalogue.neighbours.neighbours)
