import numpy as np
import pytest

from tests.helpers.basket_logs import assert_ranks, basket_log, days_of, rows_of
from tests.helpers.item_histories import histories
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.popularity import Period, Popularity, PopularityConstants

ITEMS = 9
TRAINING, JUDGED = basket_log(seed=1), basket_log(seed=2)


def counted(weight):
    """Each item's training events, weighted by days before the end and chance to be first."""
    end = max(days.max(initial=0) for days in days_of(TRAINING))
    counts = np.zeros(ITEMS + 2)
    for row, days in zip(rows_of(TRAINING), days_of(TRAINING), strict=True):
        for basket, day in zip(row, days, strict=True):
            for item in basket:
                counts[item] += weight(end - day, 1 / len(basket))
    return counts[1 : ITEMS + 1]


@pytest.mark.parametrize("exclude_seen", [False, True])
@pytest.mark.parametrize(
    ("constants", "weight"),
    [
        (PopularityConstants(), lambda days, first: 1),
        (PopularityConstants(Period(last_days=7)), lambda days, first: days <= 7),
        (PopularityConstants(Period(half_life_days=7)), lambda days, first: 2 ** (-days / 7)),
        (PopularityConstants(opening_weight=10), lambda days, first: 1 + 9 * first),
    ],
    ids=["whole log", "last week", "half-life", "openings"],
)
def test_items_stand_by_weighted_training_events(constants, weight, exclude_seen):
    popularity = Popularity(EventLog(TRAINING, ITEMS), seed=5)
    whole = counted(lambda days, first: 1)
    # Rounded: the order of a sum of powers of two is not that of the rule.
    places = catalogue_places(random_order(ITEMS, 5), counted(weight).round(12), whole)
    assert_ranks(popularity, constants, JUDGED, [{}] * len(JUDGED), places, ITEMS, exclude_seen)


def test_an_item_that_nobody_took_of_late_stands_by_the_whole_log():
    log = histories([1, 1, 2, 3], times=[[0, 1, 2, 40 * 86_400]])
    places = Popularity(EventLog(log, 3), 0).places(PopularityConstants(Period(last_days=1)))
    assert places.tolist() == [4, 2, 3, 1]


def test_only_periods_within_the_log_are_tried():
    days = [period.last_days for period in Popularity(EventLog(TRAINING, ITEMS), 0).grid["period"]]
    assert 28 in days
    assert 56 not in days


def test_openings_are_tried_only_where_there_are_baskets():
    singles = EventLog(histories([1, 2, 3], [2]), 3)
    assert Popularity(singles, 0).grid["opening_weight"] == (1.0,)
    assert len(Popularity(EventLog(TRAINING, ITEMS), 0).grid["opening_weight"]) > 1


def test_an_empty_training_log_leaves_the_drawn_order():
    nothing = EventLog(histories([]), 4)
    places = Popularity(nothing, 2).places(PopularityConstants())
    np.testing.assert_array_equal(places, catalogue_places(random_order(4, 2)))


def test_mismatched_users():
    with pytest.raises(ValueError, match="histories of 12 users do not fit the targets of 3 users"):
        Popularity(EventLog(TRAINING, ITEMS), 0).ranks(
            [PopularityConstants()], JUDGED, np.zeros(3, int), np.arange(4)
        )
