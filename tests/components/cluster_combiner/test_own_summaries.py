"""Own items that are summarised once are those of every single user."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.cluster_combiner.own_summaries import OwnSummaries
from tests.helpers.item_histories import histories
from trainer.encoder import own_batches
from trainer.encoder.own_items import summarise


def test_users_in_any_order(monkeypatch):
    monkeypatch.setattr(own_batches, "_AT_ONCE", 2)
    users = [[1, 2, 1, 3], [], [5], [4, 4, 2, 9, 9], [7, 8]]
    times = [np.arange(len(items)) * 86_400 for items in users]
    kept = OwnSummaries(histories(*users, times=times), own_events=4)
    asked = np.array([3, 0, 1, 3])
    own = kept.of(asked)
    for row, user in enumerate(asked):
        newest_first = slice(None, -5, -1)
        items = tf.constant([users[user][newest_first]], tf.int32)
        when = tf.constant([times[user][newest_first]], tf.int64)
        alone = summarise(items, when, tf.ones_like(items))
        expected = {
            int(item): known.tolist()
            for item, known in zip(alone.item[0], alone.features[0].numpy(), strict=True)
        }
        found = {
            int(item): known.tolist()
            for item, known in zip(own.item[row], own.features[row].numpy(), strict=True)
            if item
        }
        assert found.keys() == expected.keys()
        for item, known in expected.items():
            assert found[item] == pytest.approx(known, rel=1e-5)


def test_nobody_has_anything():
    own = OwnSummaries(histories([], []), own_events=4).of(np.array([1, 0]))
    assert own.item.numpy().tolist() == [[0], [0]]
