"""Which prefixes are trained on, and how they are cut."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.sampling import SampleBatches, training_samples
from trainer.data.windows import padded_columns, window


@pytest.fixture
def histories():
    # User 0: a basket of two, then two single events. User 1: one event. User 2: from event 1 on.
    item = np.array([1, 2, 3, 9, 4, 5, 6, 7], np.int32)
    time = np.array([10, 10, 20, 30, 5, 1, 2, 3], np.int64)
    columns = {name: np.zeros(8, np.int32) for name in features.EVENT_COLUMNS}
    columns |= {features.ITEM: item, features.TIME: time}
    return Histories(
        columns,
        splits=np.array([0, 4, 5, 8]),
        targets=np.zeros(0, np.int32),
        target_splits=np.zeros(4, np.int64),
        first_target=np.array([0, 0, 2]),
    )


def test_samples_end_where_time_moves_on(histories):
    samples = training_samples(histories)
    assert list(zip(samples.starts, samples.ends, samples.target_ends, strict=True)) == [
        (0, 0, 2),
        (0, 2, 3),
        (0, 3, 4),
        (4, 4, 5),
        (5, 7, 8),  # first_target = 2: nothing before it is trained on
    ]


def test_the_targets_of_a_period_are_all_items_of_it():
    rng = np.random.default_rng(3)
    lengths = [0, 40, 1, 25, 0, 60]
    splits = np.concatenate([[0], np.cumsum(lengths)])
    time = np.concatenate([np.sort(rng.integers(0, 50, n)) for n in lengths]).astype(np.int64)
    columns = {features.ITEM: np.ones(len(time), np.int32), features.TIME: time + 10**9}
    histories = Histories(
        columns,
        splits=splits,
        targets=np.zeros(0, np.int32),
        target_splits=np.zeros(len(lengths) + 1, np.int64),
        first_target=np.zeros(len(lengths), np.int64),
    )
    for period in (1, 4.5, 7, 1000):
        samples = training_samples(histories, period)
        expected = []
        for user in range(len(lengths)):
            at = range(splits[user], splits[user + 1])
            for first in at:
                if first > splits[user] and time[first] == time[first - 1]:
                    continue
                inside = [e for e in at if e >= first and time[e] < time[first] + period]
                expected.append((first, inside[-1] + 1))
        assert list(zip(samples.ends, samples.target_ends, strict=True)) == expected
    # Times are whole seconds, so that one second is an instant.
    instants = training_samples(histories).target_ends.tolist()
    assert training_samples(histories, 1).target_ends.tolist() == instants


@pytest.mark.parametrize("first_is_next", [True, False])
def test_of_a_period_all_items_are_drawn_alike(first_is_next):
    columns = {name: np.zeros(4, np.int32) for name in features.EVENT_COLUMNS}
    columns |= {features.ITEM: np.array([1, 2, 3, 4], np.int32), features.TIME: np.arange(4)}
    nothing = np.zeros(0, np.int32)
    one = Histories(columns, np.array([0, 4]), nothing, np.zeros(2, np.int64), np.array([1]))
    batches = SampleBatches(
        one, items=4, batch_size=8, samples_per_epoch=10, max_targets=1, later_items=0,
        max_events=4, own_events=0, seed=0, period=100, first_is_next=first_is_next,
    )  # fmt: skip
    shown = np.concatenate([
        targets.numpy().ravel()
        for _, targets in batches.dataset().take(300 * batches.steps_per_epoch)
    ])  # fmt: skip
    # Of {2, 3, 4}, {3, 4} and {4} one each.
    expected = [1, 1, 1] if first_is_next else [1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2 + 1]
    np.testing.assert_allclose(np.bincount(shown)[2:] / 300, expected, atol=0.12)


def test_batches_never_show_a_target_in_its_own_window(histories):
    batches = SampleBatches(
        histories, items=8, batch_size=2, samples_per_epoch=10, max_targets=4, later_items=2,
        max_events=4, own_events=4, seed=0,
    )  # fmt: skip
    order = [1, 2, 3, 9, 4, 5, 6, 7]
    seen = set()
    for step, (inputs, targets) in enumerate(batches.dataset()):
        for latest, own, wanted in zip(
            inputs["item"].numpy(), inputs["own_item"].numpy(), targets.numpy(), strict=True
        ):
            wanted = {int(t) for t in wanted if t}
            assert wanted
            assert 9 not in wanted
            last = max((order.index(i) for i in [*latest, *own] if i), default=-1)
            assert last < min(order.index(t) for t in wanted)
            seen |= wanted
        if step == 60:
            break
    assert {3, 7} <= seen


def small_batches(histories, *, items, later_items, seed):
    return SampleBatches(
        histories,
        items=items,
        batch_size=8,
        samples_per_epoch=10,
        max_targets=4,
        later_items=later_items,
        max_events=4,
        own_events=0,
        seed=seed,
    )


def test_same_seed_same_batches_and_epochs_differ(histories):
    def first(seed, epoch):
        batches = small_batches(histories, items=8, later_items=0, seed=seed)
        return next(iter(batches.dataset(first_epoch=epoch)))[1].numpy().tolist()

    assert first(1, 0) == first(1, 0)
    assert any(first(1, 0) != first(1, epoch) for epoch in range(1, 6))


def test_later_items_stand_behind_those_of_the_instant(histories):
    batches = small_batches(histories, items=9, later_items=2, seed=0)
    shown = {
        tuple(row) for _, targets in batches.dataset().take(60) for row in targets.numpy().tolist()
    }
    # The basket of 1 and 2, then 3 and 9; after 2 comes 3, then 9; nothing comes after a last item.
    assert {(1, 2, 3, 9), (3, 0, 9, 0), (9, 0, 0, 0), (4, 0, 0, 0), (7, 0, 0, 0)} == shown


def test_window_is_newest_first_and_padded():
    values = padded_columns({"item": [1, 2, 3, 4, 5]})
    cut = window(values["item"], tf.constant([0, 3, 5]), tf.constant([3, 5, 5]), 4)
    assert cut.numpy().tolist() == [[3, 2, 1, 0], [5, 4, 0, 0], [0, 0, 0, 0]]
