from collections import defaultdict

import numpy as np
import pytest

from tests.helpers.basket_logs import assert_ranks, basket_log, rows_of
from trainer.evaluation.baselines import item_knn
from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.item_knn import ItemKnn, ItemKnnConstants
from trainer.evaluation.baselines.own_items_first import Aging

ITEMS = 9
TRAINING, JUDGED = basket_log(users=40, seed=1, most_baskets=3), basket_log(seed=2)
PLACES = catalogue_places(random_order(ITEMS, 1))


def model(neighbours, normalised):
    """item -> {neighbour: similarity}, the nearest of each."""
    users = {i: set() for i in range(1, ITEMS + 1)}
    for user, row in enumerate(rows_of(TRAINING)):
        for item in {i for basket in row for i in basket} & users.keys():
            users[item].add(user)
    nearest = {}
    for item, mine in users.items():
        cosine = {
            other: np.float64(len(mine & theirs)) / np.sqrt(len(mine) * len(theirs))
            for other, theirs in users.items()
            if other != item and mine & theirs
        }
        kept = sorted(cosine, key=cosine.__getitem__, reverse=True)[:neighbours]
        total = sum(cosine[i] for i in kept) if normalised else 1.0
        nearest[item] = {i: cosine[i] / total for i in kept}
    return nearest


@pytest.mark.parametrize("exclude_seen", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("aging", [Aging(), Aging("instants", 1.0)], ids=str)
def test_items_get_what_the_history_gives_them(aging, normalised, exclude_seen):
    similar = model(ITEMS, normalised)
    scores = []
    for row in rows_of(JUDGED):
        weights = defaultdict(float)
        for number, basket in enumerate(row):
            for item in basket:
                if item in similar:
                    weights[item] += 2.0 ** -(len(row) - 1 - number)
        found = defaultdict(float)
        for item, weight in sorted(weights.items()):
            for other, value in similar[item].items():
                found[other] += value * (weight if aging.unit != "none" else 1.0)
        scores.append({item: np.float32(value) for item, value in found.items()})
    rule = ItemKnn(EventLog(TRAINING, ITEMS), PLACES, seed=0)
    constants = ItemKnnConstants(100, normalised, aging)
    assert_ranks(rule, constants, JUDGED, scores, PLACES, ITEMS, exclude_seen)


@pytest.mark.parametrize("most", [2, 5])
def test_only_the_nearest_neighbours_recommend(monkeypatch, most):
    monkeypatch.setattr(item_knn, "_NEIGHBOURS", (most,))
    monkeypatch.setattr(item_knn, "_ROWS", 4)
    rule = ItemKnn(EventLog(TRAINING, ITEMS), PLACES, seed=0)
    found, all_of = rule._model(most, False).toarray(), model(ITEMS, False)
    for item, similar in all_of.items():
        kept = found[item][found[item] > 0]
        strongest = sorted(similar.values(), reverse=True)[:most]
        np.testing.assert_allclose(sorted(kept, reverse=True), strongest)
        for other in np.flatnonzero(found[item]):
            assert found[item, other] == pytest.approx(similar[other])


def test_a_log_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(item_knn, "_MOST_PRODUCTS", 10)
    with pytest.raises(NotApplicable, match="pairs of items; item-kNN takes at most 10"):
        ItemKnn(EventLog(TRAINING, ITEMS), PLACES, seed=0)
    monkeypatch.undo()
    monkeypatch.setattr(item_knn, "_MOST_ENTRIES", 10)
    with pytest.raises(NotApplicable, match="9 items with 100 neighbours each"):
        ItemKnn(EventLog(TRAINING, ITEMS), PLACES, seed=0)
