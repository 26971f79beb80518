"""Moments and what follows them, labelled by hand."""

from __future__ import annotations

import numpy as np

from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.moments import UNKNOWN, Moments

VIEW, CART, BUY = 1, 2, 3
LETTERS = {"v": VIEW, "c": CART, "b": BUY}


def histories(*users: tuple[str, list[int]], first: list[int] | None = None) -> Histories:
    """Histories of actions by their first letters and times, in seconds."""
    lengths = [len(text) for text, _ in users]
    actions = [LETTERS[letter] for text, _ in users for letter in text]
    return Histories(
        {
            features.ITEM: np.arange(1, len(actions) + 1, dtype=np.int32),
            features.ACTION: np.array(actions, np.int32),
            features.TIME: np.concatenate([times for _, times in users]).astype(np.int64),
        },
        splits=np.concatenate([[0], np.cumsum(lengths)]),
        targets=np.zeros(0, np.int32),
        target_splits=np.zeros(len(users) + 1, np.int64),
        first_target=np.array(first or [0] * len(users)),
    )


def labels(found: Moments) -> list[tuple[int, int, int, int]]:
    columns = (found.starts, found.ends, found.next, found.within)
    return [tuple(int(x) for x in row) for row in zip(*columns, strict=True)]  # type: ignore[misc]


def test_the_next_instant_and_the_days_that_begin_with_the_moment() -> None:
    #                            0    10   20   40   100
    users = histories(("vvbvv", [0, 10, 20, 40, 100]))
    assert labels(Moments.of(users, [BUY], seconds=30)) == [
        (0, 1, 0, 1),  # a view comes next, and the purchase within 30 seconds
        (0, 2, 1, 1),  # the purchase comes next
        (0, 3, 0, 0),  # it is known by now, and does not count again
        (0, 4, 0, 0),
        (0, 5, UNKNOWN, UNKNOWN),  # nobody knows what comes after the end of the log
    ]


def test_the_end_of_the_days_is_not_among_them() -> None:
    users = histories(("vbv", [0, 30, 100]))
    assert Moments.of(users, [BUY], seconds=30).within[0] == 0
    assert Moments.of(users, [BUY], seconds=31).within[0] == 1


def test_an_instant_is_one_moment_whatever_its_order() -> None:
    # The cart and the purchase of second 5 are known together, and were next together.
    for text in ("vcbv", "vbcv"):
        users = histories((text, [0, 5, 5, 9]))
        assert labels(Moments.of(users, [BUY], seconds=3)) == [
            (0, 1, 1, 0),
            (0, 3, 0, 0),
            (0, 4, UNKNOWN, UNKNOWN),
        ]


def test_where_the_log_ends_too_early_nothing_is_known_also_of_who_was_quick() -> None:
    quick, slow = ("vb", [90, 95]), ("v", [90])
    last = ("v", [100])
    found = Moments.of(histories(quick, slow, last), [BUY], seconds=20)
    assert found.within.tolist() == [UNKNOWN] * 4
    # The log is known for all of these seconds: 90, 91, … 100.
    found = Moments.of(histories(quick, slow, last), [BUY], seconds=11)
    assert found.within.tolist() == [1, UNKNOWN, 0, UNKNOWN]
    # The end of the log is that of all users: who does nothing until then does nothing.
    assert found.next.tolist() == [1, UNKNOWN, UNKNOWN, UNKNOWN]


def test_users_do_not_run_into_each_other() -> None:
    found = Moments.of(histories(("v", [0]), ("bv", [1, 500])), [BUY], seconds=10)
    assert found.next.tolist() == [UNKNOWN, 0, UNKNOWN]
    assert found.within.tolist() == [0, 0, UNKNOWN]
    assert found.user.tolist() == [0, 1, 1]


def test_moments_begin_with_the_first_target() -> None:
    users = histories(("vvvb", [0, 1, 2, 3]), ("vb", [0, 900]), first=[2, 0])
    found = Moments.of(users, [BUY, CART], seconds=10)
    assert found.starts.tolist() == [0, 0, 4, 4]
    assert found.ends.tolist() == [3, 4, 5, 6]


def test_nothing_follows_where_there_is_nothing() -> None:
    empty = histories(("", []))
    assert len(Moments.of(empty, [BUY], seconds=10)) == 0
    assert (Moments.of(histories(("vv", [0, 9])), [], seconds=3).next[:1] == 0).all()


def test_a_history_for_each_moment_has_its_latest_events() -> None:
    users = histories(("vcbv", [0, 1, 2, 3]), ("vv", [0, 1]))
    found = Moments.of(users, [BUY], seconds=1)
    cut = found.latest_events(users, most=2)
    items = np.split(cut.columns[features.ITEM], cut.splits[1:-1])
    assert [part.tolist() for part in items] == [[1], [1, 2], [2, 3], [3, 4], [5], [5, 6]]
    assert not cut.targets.size


def test_a_sample_is_drawn_alike_and_the_same_for_one_seed() -> None:
    users = histories(*[("v" * 20, list(range(20)))] * 50)
    every = Moments.of(users, [BUY], seconds=1)
    drawn = every.sample(100, np.random.default_rng(3))
    assert len(drawn) == len(np.unique(drawn.ends)) == 100
    assert set(drawn.ends) <= set(every.ends)
    assert (drawn.ends == every.sample(100, np.random.default_rng(3)).ends).all()
    assert every.sample(1000, np.random.default_rng(3)) is every
