"""Free baselines that count events with a target action more than others, or alone."""

import dataclasses

import numpy as np
import pytest

from tests.helpers.basket_logs import assert_ranks, basket_log
from tests.helpers.item_histories import histories
from trainer.data import features
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.own_items_first import Aging, OwnItemsConstants, OwnItemsFirst
from trainer.evaluation.baselines.popularity import ONLY, Popularity, PopularityConstants
from trainer.evaluation.baselines.selection import HeldOut, choose_baselines
from trainer.evaluation.metrics import basket_values

ITEMS, VIEW, BUY = 9, 1, 2


def _with_actions(log, seed):
    action = np.random.default_rng(seed).choice([VIEW, VIEW, BUY], len(log.columns[features.ITEM]))
    columns = {**log.columns, features.ACTION: action.astype(np.int32)}
    return dataclasses.replace(log, columns=columns).asking([BUY])


TRAINING, JUDGED = (_with_actions(basket_log(seed=seed), seed) for seed in (1, 2))
LOG = EventLog(TRAINING, ITEMS)
WEIGHTS = [(1.0, (1, 1)), (10.0, (1, 10)), (ONLY, (0, 1))]


def _events(log):
    """Item and whether it was bought, for each user."""
    item, bought = log.columns[features.ITEM], log.columns[features.ACTION] == BUY
    for start, end in zip(log.splits[:-1], log.splits[1:], strict=True):
        yield [(i, b) for i, b in zip(item[start:end], bought[start:end], strict=True)
               if 1 <= i <= ITEMS]  # fmt: skip


@pytest.mark.parametrize(("weight", "of"), WEIGHTS)
def test_popularity_counts_purchases_by_their_weight(weight, of):
    counts, whole = np.zeros(ITEMS + 1), np.zeros(ITEMS + 1)
    for row in _events(TRAINING):
        for item, bought in row:
            counts[item] += of[int(bought)]
            whole[item] += 1
    popularity = Popularity(LOG, seed=5)
    places = catalogue_places(random_order(ITEMS, 5), counts[1:], whole[1:])
    constants = PopularityConstants(action_weight=weight)
    assert_ranks(popularity, constants, JUDGED, [{}] * len(JUDGED), places, ITEMS, False)


@pytest.mark.parametrize(("weight", "of"), [*WEIGHTS, (0.1, (1, 0.1))])
def test_own_items_count_purchases_by_their_weight(weight, of):
    """An item that was only viewed stands behind bought ones, and before all that is new."""
    scores = []
    for row in _events(JUDGED):
        mine = {}
        for item, bought in row:
            mine[item] = mine.get(item, 0) + of[int(bought)]
        scores.append(mine)
    popularity = Popularity(LOG, seed=3)
    own = OwnItemsFirst(LOG, popularity)
    places = popularity.places(PopularityConstants())
    assert_ranks(own, OwnItemsConstants(action_weight=weight), JUDGED, scores, places, ITEMS)


def test_weights_are_tried_only_where_some_actions_are_asked_for():
    every = EventLog(dataclasses.replace(TRAINING, wanted=None), ITEMS)
    for log, tried in ((every, 1), (LOG, 5)):
        popularity = Popularity(log, 0)
        assert len(popularity.grid["action_weight"]) == tried
        assert (len(OwnItemsFirst(log, popularity).grid["action_weight"]) > 1) == (tried > 1)
        orders = OwnItemsFirst(log, popularity).grid["popularity"]
        assert len({each.action_weight for each in orders}) == tried


def test_the_weight_is_chosen_on_validation():
    """Everybody views item 1 often and buys item 2 once, and buys it again."""
    rows = [[1, 1, 1, 2, 3 + user % 3] for user in range(30)]
    log = histories(*rows)
    action = np.tile(np.array([VIEW, VIEW, VIEW, BUY, VIEW], np.int32), 30)
    log = dataclasses.replace(log, columns={**log.columns, features.ACTION: action})

    def ndcg(ranks, splits):
        return basket_values(ranks, splits, "basket_ndcg@10")

    validation = HeldOut(log.asking([BUY]), np.full(30, 2), np.arange(31))
    found = choose_baselines(log.asking([BUY]), validation, 9, ndcg, False, 1)
    for kind in ("popularity", "own_items"):
        assert found.chosen[kind].value == pytest.approx(1.0)
        assert "target actions" in str(found.chosen[kind].constants)


def test_constants_in_words():
    assert str(PopularityConstants()) == "whole log"
    assert str(PopularityConstants(action_weight=ONLY)) == "whole log, target actions only"
    own = OwnItemsConstants(Aging("days", 7), action_weight=3)
    assert str(own) == "half-life 7 days, target actions x 3; then popularity, whole log"
