from collections import defaultdict

import pytest

from tests.helpers.basket_logs import assert_ranks, basket_log, days_of, rows_of
from tests.helpers.item_histories import histories
from trainer.data.repeat_lift import repeat_lift
from trainer.evaluation.baselines import baseline
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.own_items_first import Aging, OwnItemsConstants, OwnItemsFirst
from trainer.evaluation.baselines.popularity import Period, Popularity, PopularityConstants

ITEMS = 9
TRAINING, JUDGED = basket_log(seed=1), basket_log(seed=2)
LATE = PopularityConstants(Period(last_days=7))


def own_scores(weight, latest=False):
    """Each user's score of each own item; `weight` of days and instants ago, and of openings."""
    found = []
    for row, days in zip(rows_of(JUDGED), days_of(JUDGED), strict=True):
        scores = defaultdict(float)
        for number, (basket, day) in enumerate(zip(row, days, strict=True)):
            ago = len(row) - 1 - number
            for item in basket:
                if 1 <= item <= ITEMS:
                    value = weight(days[-1] - day, ago, 1 / len(basket))
                    scores[item] = value if latest else scores[item] + value
        found.append(scores)
    return found


@pytest.mark.parametrize("chunk", [1, 5, 100])
@pytest.mark.parametrize(
    ("aging", "opening", "weight"),
    [
        (Aging(), 1, lambda days, ago, first: 1),
        (Aging(), 30, lambda days, ago, first: 1 + 29 * first),
        (Aging("days", 4), 1, lambda days, ago, first: 2 ** -(days / 4)),
        (Aging("instants", 2), 1, lambda days, ago, first: 2 ** -(ago / 2)),
        (Aging("latest"), 1, lambda days, ago, first: -ago),
    ],
)
def test_own_items_first_then_popularity(monkeypatch, chunk, aging, opening, weight):
    monkeypatch.setattr(baseline, "_USERS_PER_CHUNK", chunk)
    log = EventLog(TRAINING, ITEMS)
    popularity = Popularity(log, seed=3)
    constants = OwnItemsConstants(aging, opening, LATE)
    scores = own_scores(weight, latest=aging.unit == "latest")
    own = OwnItemsFirst(log, popularity)
    assert_ranks(own, constants, JUDGED, scores, popularity.places(LATE), ITEMS)


def test_without_seen_items_popularity_is_left():
    log = EventLog(TRAINING, ITEMS)
    popularity = Popularity(log, seed=3)
    constants = OwnItemsConstants(Aging("instants", 2), 3, LATE)
    nothing = [{}] * len(JUDGED)
    own = OwnItemsFirst(log, popularity)
    assert_ranks(own, constants, JUDGED, nothing, popularity.places(LATE), ITEMS, True)


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_items_that_come_again_more_often_stand_higher(power):
    log = EventLog(TRAINING, ITEMS)
    popularity = Popularity(log, seed=3)
    own = OwnItemsFirst(log, popularity)
    lift = repeat_lift(log.user, log.item, log.instants_ago, ITEMS).lift
    scores = [
        {item: score * lift[item] ** power for item, score in user.items()}
        for user in own_scores(lambda days, ago, first: 2 ** -(ago / 2))
    ]
    constants = OwnItemsConstants(Aging("instants", 2), 1, LATE, power)
    assert_ranks(own, constants, JUDGED, scores, popularity.places(LATE), ITEMS)
    assert f"times the item's lift^{power:g}" in str(constants)


def test_how_often_counts_in_a_very_old_history_too():
    years = [0, 1, 2, 20 * 365 * 86_400]
    # All others prefer item 3, which this user had less often than item 2.
    log = EventLog(histories([2, 2, 3, 4], [3] * 5, times=[years, range(5)]), 4)
    own = OwnItemsFirst(log, Popularity(log, 0))
    constants = OwnItemsConstants(Aging("days", 1.0))
    ranks = own.ranks([constants], log.histories, [4, 2, 3, 1], [0, 4, 4])
    assert ranks.tolist() == [[1, 2, 3, 4]]
