"""Curves of "buys this again": rows counted by brute force, and a planted rhythm that is found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.histories import Histories
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.own_items import FEATURE_NAMES, summarise
from trainer.training.own_rows import latest_rows
from trainer.training.repeat_fit import FEWEST_TAKEN, fit_repeats

DAY = 86_400
ITEMS = 12


def histories_of(users: list[list[set[int]]]) -> Histories:
    """Users as baskets, one a day."""
    events = [
        (item, day * DAY) for baskets in users for day, basket in enumerate(baskets)
        for item in sorted(basket)
    ]  # fmt: skip
    lengths = [sum(map(len, baskets)) for baskets in users]
    item, time = np.array(events).T
    nothing = np.zeros(len(users) + 1, np.int64)
    return Histories(
        {
            "item": item.astype(np.int32),
            "time": time.astype(np.int64),
            "action": np.ones(len(item), np.int32),
        },
        np.concatenate([[0], np.cumsum(lengths)]),
        np.zeros(0, np.int32),
        nothing,
        nothing[1:],
    )


def catalogue_of(items: int = ITEMS) -> Catalogue:
    catalogue = Catalogue(items=items, categories=0, own_items=True, width=4)
    catalogue.build()
    return catalogue


def rhythmic_users(number: int, seed: int) -> list[list[set[int]]]:
    """Each has six items, and takes one again when it has not had it for three baskets.

    The items that are due are the oldest ones: recency alone ranks them last.
    """
    rng = np.random.default_rng(seed)
    users = []
    for _ in range(number):
        last = {int(item): -int(rng.integers(1, 4)) for item in rng.choice(ITEMS, 6, False) + 1}
        baskets: list[set[int]] = []
        for day in range(14):
            chance = {item: 0.9 if day - then >= 3 else 0.02 for item, then in last.items()}
            taken = {item for item, p in chance.items() if rng.random() < p}
            last.update(dict.fromkeys(taken, day))
            baskets.append(taken or {int(rng.choice(list(last)))})
        users.append(baskets)
    return users


def test_rows_are_those_of_the_latest_prefixes():
    users = [[{1, 2}, {2}, {1, 3}], [{4}], [{5, ITEMS + 1}, {ITEMS + 1}, {5}]]
    rows = latest_rows(catalogue_of(), histories_of(users), 8, None, np.random.default_rng(0))
    assert rows is not None
    found = {
        (int(p), int(i), bool(t))
        for p, i, t in zip(rows.prefix, rows.item, rows.taken, strict=True)
    }
    # Prefixes that are not empty, in order: two of the first user, two of the third.
    assert found == {
        (0, 1, False), (0, 2, True), (1, 1, True), (1, 2, False), (2, 5, False), (3, 5, True)
    }  # fmt: skip
    assert rows.prefixes == 4
    assert rows.new_items == 1  # item 3; an item beyond the catalogue is nobody's
    assert rows.user.tolist() == [0, 0, 2, 2]
    assert rows.inputs.shape[0] == 6


def test_what_is_far_from_the_top_counts_little():
    # 40 items in one basket long ago, of which every second one was taken more often since.
    often = set(range(1, 41, 2))
    users = [[set(range(1, 41)), often, often, often]]
    rows = latest_rows(catalogue_of(40), histories_of(users), 128, None, np.random.default_rng(0))
    assert rows is not None
    last = rows.prefix == rows.prefixes - 1
    weight = dict(zip(rows.item[last].tolist(), rows.weight[last].tolist(), strict=True))
    assert {weight[item] for item in often} == {1.0}
    assert sorted(set(weight.values())) == [pytest.approx(0.1), 1.0]
    assert sum(value == 1.0 for value in weight.values()) == 30


def test_no_more_than_the_latest_six_instants_are_asked_for():
    rows = latest_rows(
        catalogue_of(), histories_of([[{1}] * 20]), 32, None, np.random.default_rng(0)
    )
    assert rows is not None
    assert rows.prefixes == 6
    ago = np.exp(rows.inputs[:, FEATURE_NAMES.index("log_users_instants")]) - 1
    np.testing.assert_allclose(ago, [14, 15, 16, 17, 18, 19], rtol=1e-4)


def test_what_comes_next_may_be_a_period():
    users = [[{1, 2}, {2}, {1}]]
    two_days = latest_rows(
        catalogue_of(), histories_of(users), 8, 2.0 * DAY, np.random.default_rng(0)
    )
    assert two_days is not None
    first = two_days.taken[two_days.prefix == 0]
    assert first.tolist() == [True, True]


def test_only_what_is_asked_for_came_next():
    # One user, a day each: looks at 1, looks at 2, buys 1 and looks at 2, looks at 2.
    users = histories_of([[{1}, {2}, {1, 2}, {2}]])
    asking = dataclasses.replace(users, wanted=np.array([False, False, True, False, False]))
    rows = latest_rows(catalogue_of(), asking, 8, None, np.random.default_rng(0))
    assert rows is not None
    assert rows.prefixes == 1
    assert dict(zip(rows.item.tolist(), rows.taken.tolist(), strict=True)) == {1: True, 2: False}


def test_a_planted_rhythm_is_found():
    catalogue = catalogue_of()
    fit = fit_repeats(catalogue, histories_of(rhythmic_users(150, seed=0)), 64, None, seed=1)
    assert fit.fitted
    assert fit.taken > 1000
    # Newest first: 1 was taken yesterday and often, 2 four days ago and once.
    items = tf.constant([[1, 3, 1, 3, 2, 1]], tf.int32)
    times = tf.constant([[5, 4, 3, 3, 1, 0]], tf.int64) * DAY
    own = summarise(items, times)
    bonus = catalogue.repeat_bonus
    assert bonus is not None
    odds = bonus.curves(own, tf.zeros([1, 6, 3])).numpy()[0]
    of_item = {int(i): float(o) for i, o in zip(own.item[0], odds, strict=True) if i}
    assert of_item[2] > of_item[1] + 2.0
    untrained = catalogue_of().repeat_bonus
    assert untrained is not None
    odds = untrained.curves(own, tf.zeros([1, 6, 3])).numpy()[0]
    of_item = {int(i): float(o) for i, o in zip(own.item[0], odds, strict=True) if i}
    assert of_item[1] > of_item[2], "by frequency and recency it is the other way round"


def test_the_odds_are_calibrated():
    catalogue = catalogue_of()
    fit_repeats(catalogue, histories_of(rhythmic_users(150, seed=0)), 64, None, seed=1)
    rows = latest_rows(
        catalogue, histories_of(rhythmic_users(150, seed=9)), 64, None, np.random.default_rng(0)
    )
    bonus = catalogue.repeat_bonus
    assert rows is not None
    assert bonus is not None
    repeats = bonus.curves.item_repeats.numpy()[rows.item]
    odds = bonus.curves.of(np.concatenate([rows.inputs, repeats], axis=1)).numpy()
    chance = 1 / (1 + np.exp(-odds))
    assert chance.mean() == pytest.approx(rows.taken.mean(), rel=0.15)
    # Rows that are likely and rows that are not come out as planted.
    assert rows.taken[chance > 0.8].mean() > 0.8
    assert rows.taken[chance < 0.1].mean() < 0.1


def test_an_item_brings_nothing_of_its_own_where_all_are_alike():
    catalogue = catalogue_of()
    fit_repeats(catalogue, histories_of(rhythmic_users(150, seed=0)), 64, None, seed=1)
    bonus = catalogue.repeat_bonus
    assert bonus is not None
    lift = bonus.curves.item_repeats.numpy()[1:, 0]
    assert np.abs(lift).max() < 0.3


def test_an_item_that_comes_again_more_often_has_a_lift():
    rng = np.random.default_rng(0)
    users = [
        [{1} | ({2} if rng.random() < 0.2 or not day else set()) | {3} for day in range(10)]
        for _ in range(60)
    ]
    catalogue = catalogue_of()
    fit_repeats(catalogue, histories_of(users), 64, None, seed=1)
    bonus = catalogue.repeat_bonus
    assert bonus is not None
    lift = bonus.curves.item_repeats.numpy()[:, 0]
    assert lift[1] > lift[2]
    assert lift[7] == pytest.approx(0.0), "of an item that nobody had nothing is known"


def test_too_little_to_fit_keeps_frequency_and_recency():
    catalogue = catalogue_of()
    bonus = catalogue.repeat_bonus
    assert bonus is not None
    before = [weight.numpy() for weight in bonus.weights]
    fit = fit_repeats(catalogue, histories_of([[{1}, {1}, {2}]]), 64, None, seed=1)
    assert not fit.fitted
    assert f"{FEWEST_TAKEN} are needed" in str(fit)
    for then, now in zip(before, bonus.weights, strict=True):
        np.testing.assert_array_equal(then, now.numpy())
    assert not fit_repeats(catalogue, histories_of([[{1}]]), 64, None, seed=1).fitted


def test_the_same_seed_gives_the_same_curves():
    users = histories_of(rhythmic_users(40, seed=3))
    found = []
    for _ in range(2):
        catalogue = catalogue_of()
        fit_repeats(catalogue, users, 64, None, seed=5)
        bonus = catalogue.repeat_bonus
        assert bonus is not None
        found.append([weight.numpy() for weight in bonus.curves.weights])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
