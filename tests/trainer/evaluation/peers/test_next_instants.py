import numpy as np

from tests.helpers.basket_logs import basket_log, rows_of
from tests.helpers.item_histories import histories
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.peers import next_instants
from trainer.evaluation.peers.next_instants import NextInstants, latest_events

ITEMS = 9


def asked(log, repeats=200):
    """(items read, items that may come next) of every sample, over many draws."""
    found = {}
    samples = NextInstants(EventLog(log, ITEMS))
    rng = np.random.default_rng(0)
    for _ in range(repeats):
        for batch in samples.batches(3, rng):
            for (window, place), targets in zip(batch.position, batch.targets, strict=True):
                read = tuple(batch.items[window, : place + 1])
                found.setdefault(read, set()).update(targets.tolist())
    return found


def test_after_each_instant_the_items_of_the_next_one_are_asked_for():
    log = basket_log(12, ITEMS, 3, most_baskets=4)
    expected = {}
    for row in rows_of(log):
        known = [[i for i in basket if 1 <= i <= ITEMS] for basket in row]
        known = [basket for basket in known if basket]
        for n in range(1, len(known)):
            read = tuple(i for basket in known[:n] for i in basket)
            expected.setdefault(read, set()).update(known[n])
    assert asked(log) == expected


def test_long_histories_are_cut_from_the_end_and_no_transition_is_lost(monkeypatch):
    monkeypatch.setattr(next_instants, "LENGTH", 4)
    log = histories([1, 2, 3, 4, 5, 6, 7, 8, 9, 1])
    assert asked(log, repeats=1) == {
        (1,): {2},
        (1, 2): {3},
        (3,): {4},
        (3, 4): {5},
        (3, 4, 5): {6},
        (3, 4, 5, 6): {7},
        (7,): {8},
        (7, 8): {9},
        (7, 8, 9): {1},
    }


def test_users_do_not_follow_each_other():
    assert asked(histories([1, 2], [], [3], [4, 5]), repeats=1) == {(1,): {2}, (4,): {5}}


def test_the_latest_known_events_are_read(monkeypatch):
    monkeypatch.setattr(next_instants, "LENGTH", 3)
    items, read = latest_events(EventLog(histories([1, 2, 99, 4, 5], [], [7]), ITEMS))
    assert items.tolist() == [[2, 4, 5], [0, 0, 0], [7, 0, 0]]
    assert read.tolist() == [3, 0, 1]
