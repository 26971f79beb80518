"""Lists and ranks of a shelf are those of the list of all without the other shelf."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.evaluation.test_baskets import CATALOGUE, random_histories
from trainer.data import features
from trainer.encoder.catalogue import MASKED
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.popularity import BY_EVENTS, Popularity
from trainer.evaluation.baselines.selection import ChosenBaseline
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.ranking import top_list, top_of_items
from trainer.evaluation.shelf_targets import ShelfTargets


def test_ranks_on_a_shelf_are_those_without_the_other():
    rng = np.random.default_rng(3)
    given = random_histories(60, seed=4)
    baskets = Baskets.of(given, CATALOGUE, exclude_seen=False)
    asked = ShelfTargets.of(given, baskets)
    order = np.argsort(rng.random((60, CATALOGUE)), axis=1) + 1  # each user's list of all
    found = []
    for user in range(60):
        for item in asked.targets[asked.splits[user] : asked.splits[user + 1]]:
            place = np.flatnonzero(order[user] == item)
            found.append(place[0] + 1 if place.size else CATALOGUE + 1)
    in_all, on_shelf = asked.ranks(np.array(found))
    at = 0
    for user in range(60):
        had = given.columns[features.ITEM][given.splits[user] : given.splits[user + 1]]
        listed = order[user].tolist()
        own = [item for item in listed if item in had]
        new = [item for item in listed if item not in had]
        for item in baskets.items[baskets.splits[user] : baskets.splits[user + 1]].tolist():
            shelf = own if item in had else new
            assert in_all[at] == (listed.index(item) + 1 if item <= CATALOGUE else 0)
            assert on_shelf[at] == (shelf.index(item) + 1 if item <= CATALOGUE else 0)
            at += 1
    assert at == baskets.items.size > 100
    assert 0 < baskets.own.sum() < at


def test_a_rule_stands_on_the_new_shelf_as_where_seen_items_are_excluded():
    given = random_histories(200, seed=5)
    rule = Popularity(EventLog(random_histories(50, seed=6), CATALOGUE), seed=1)
    chosen = ChosenBaseline(rule, BY_EVENTS, 0.0, 1)
    baskets = Baskets.of(given, CATALOGUE, exclude_seen=False)
    asked = ShelfTargets.of(given, baskets)
    in_all, on_shelf = asked.ranks(chosen.ranks(given, asked.targets, asked.splits))
    alone = chosen.ranks(given, baskets.items, baskets.splits)
    np.testing.assert_array_equal(in_all, np.where(alone > CATALOGUE, 0, alone))
    unseen = chosen.ranks(given, baskets.items, baskets.splits, exclude_seen=True)
    new = ~baskets.own & (baskets.items <= CATALOGUE)
    np.testing.assert_array_equal(on_shelf[new], unseen[new])
    assert (on_shelf[new] < in_all[new]).any()


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("items", [[2, 2, 0, 9], [0, 0, 0, 0], [4, 1, 3, 2]])
def test_the_best_of_some_items_are_those_without_the_others(items, k):
    scores = tf.constant([[MASKED, 3.0, -1.0, 3.0, 2.0]])  # two are equal: by item index
    ranking = [1, 3, 4, 2]
    mine = [item for item in ranking if item in items][:k]
    others = [item for item in ranking if item not in items][:k]
    seen = tf.constant([items])
    assert top_of_items(scores, k, seen).numpy().tolist() == [mine + [0] * (k - len(mine))]
    assert top_list(scores, k, seen).numpy().tolist() == [others + [0] * (k - len(others))]
