import numpy as np

from tests.helpers.item_histories import histories
from trainer.evaluation.baselines.event_log import EventLog

DAY = 86_400
LOG = EventLog(
    histories([1, 9, 2, 2, 1], [], [3], times=[[0, DAY, DAY, DAY, 3 * DAY], [], [5]]), items=3
)


def test_instants_and_ages_count_events_of_unknown_items_too():
    assert LOG.item.tolist() == [1, 2, 2, 1, 3]
    assert LOG.instants.tolist() == [3, 0, 1]
    assert LOG.instants_ago.tolist() == [2, 1, 1, 0, 0]
    assert LOG.days_ago.tolist() == [3, 2, 2, 0, 0]
    # Any of three events may have opened the second instant, the unknown item's too.
    assert LOG.opening_chance.tolist() == [1, 1 / 3, 1 / 3, 1, 1]


def test_sums_latest_and_distinct():
    weights = np.array([1.0, 2, 3, 4, 5])
    assert LOG.sums(weights).toarray().tolist() == [[0, 5, 5, 0], [0] * 4, [0, 0, 0, 5]]
    assert LOG.latest(weights).toarray().tolist() == [[0, 4, 3, 0], [0] * 4, [0, 0, 0, 5]]
    assert LOG.distinct.toarray().tolist() == [[0, 1, 1, 0], [0] * 4, [0, 0, 0, 1]]
    assert LOG.sums(np.zeros(5)).nnz == 3


def test_an_item_counts_once_in_a_basket():
    assert LOG.sums(LOG.in_basket).toarray()[0].tolist() == [0, 2, 1, 0]


def test_baskets_are_instants_with_several_known_items():
    assert not LOG.has_baskets
    assert EventLog(histories([1, 2], times=[[0, 0]]), items=2).has_baskets
    assert not EventLog(histories([1, 2]), items=2).has_baskets


def test_some_users():
    part = LOG.users(1, 3)
    assert part.distinct.toarray().tolist() == [[0] * 4, [0, 0, 0, 1]]


def test_no_users():
    none = LOG.users(0, 0)
    assert none.sums(np.zeros(0)).shape == (0, 4)
    assert none.days_ago.size == none.instants_ago.size == 0
