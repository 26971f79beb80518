import numpy as np
import pytest

from tests.helpers.basket_logs import assert_ranks, basket_log, rows_of
from tests.helpers.item_histories import histories
from trainer.evaluation.baselines import user_neighbours
from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.tifu_knn import Fading, TifuKnn, TifuKnnConstants

ITEMS = 9
TRAINING, JUDGED = basket_log(users=30, seed=1), basket_log(seed=2)
PLACES = catalogue_places(random_order(ITEMS, 1))


def vector(row, fading):
    """One user's vector, basket by basket as the paper has it."""
    found = np.zeros(ITEMS + 2)
    if not row:
        return found
    size = int(np.ceil(len(row) / fading.groups))
    newest_first = row[::-1]
    groups = [newest_first[i : i + size] for i in range(0, len(row), size)]
    for age, group in enumerate(groups):
        part = np.zeros(ITEMS + 2)
        for place, basket in enumerate(group):
            part[list(set(basket))] += fading.basket_decay**place
        found += part / len(group) * fading.group_decay**age
    return found / len(groups)


@pytest.mark.parametrize("exclude_seen", [False, True])
@pytest.mark.parametrize("neighbours", [1, 4, 100])
@pytest.mark.parametrize("fading", [Fading(3, 0.9, 0.6), Fading(2, 0.83, 0.47), Fading(50, 1, 0.9)])
def test_own_vector_and_that_of_the_nearest_users(fading, neighbours, exclude_seen):
    others = np.array([vector(row, fading)[1 : ITEMS + 1] for row in rows_of(TRAINING)])
    scores = []
    for row in rows_of(JUDGED):
        own = vector(row, fading)[1 : ITEMS + 1]
        distance = ((others - own) ** 2).sum(axis=1)
        nearest = np.argsort(distance.round(12), kind="stable")[:neighbours]
        found = (0.3 * own + 0.7 * others[nearest].mean(axis=0)).astype(np.float32)
        scores.append({i + 1: found[i] for i in np.flatnonzero(found)})
    rule = TifuKnn(EventLog(TRAINING, ITEMS), PLACES, seed=0)
    constants = TifuKnnConstants(fading, 0.3, neighbours)
    assert_ranks(rule, constants, JUDGED, scores, PLACES, ITEMS, exclude_seen)


def test_a_log_without_baskets_or_with_too_much_in_common_is_refused(monkeypatch):
    singles = EventLog(histories([1, 2], [2]), 3)
    with pytest.raises(NotApplicable, match="no instant holds several items; TIFU-KNN is for"):
        TifuKnn(singles, np.arange(4), seed=0)
    monkeypatch.setattr(user_neighbours, "_MOST_PRODUCTS", 10)
    with pytest.raises(NotApplicable, match="items in common; TIFU-KNN takes at most 10"):
        TifuKnn(EventLog(TRAINING, ITEMS), PLACES, seed=0)


def test_of_many_users_some_are_drawn(monkeypatch):
    monkeypatch.setattr(user_neighbours, "_MOST_USERS", 7)
    log = EventLog(TRAINING, ITEMS)
    drawn = user_neighbours.candidate_neighbours(log, "a rule", 1)
    assert len(drawn) == 7
    again = user_neighbours.candidate_neighbours(log, "a rule", 1)
    np.testing.assert_array_equal(drawn.item, again.item)
