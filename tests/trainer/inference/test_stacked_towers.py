"""Stacked towers answer what the towers do one by one."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.towers import events, towers
from trainer.inference.stacked_towers import StackedTowers


@pytest.mark.parametrize(
    ("members", "layers", "heads", "lora"),
    [(1, 1, 1, False), (3, 2, 2, False), (2, 3, 4, False), (2, 2, 2, True)],
)
@pytest.mark.parametrize(("length", "few"), [(1, 4_000), (6, 4_000), (6, 0)])
def test_queries_and_states_are_those_of_the_towers(
    members, layers, heads, lora, length, few, monkeypatch
):
    monkeypatch.setattr("trainer.inference.packed_rows._FEW_PAIRS", few)

    made = towers(members, layers, heads, lora)
    given = events(length)
    vectors = np.random.default_rng(2).normal(size=(members, 3, length, 8)).astype(np.float32)
    stacked = StackedTowers(made)
    for answer in (stacked, tf.function(stacked)):
        queries = answer(given, vectors).numpy()
        expected = [t(given, v).numpy() for t, v in zip(made, vectors, strict=True)]
        np.testing.assert_allclose(queries, expected, rtol=1e-4, atol=1e-5)
        assert np.abs(queries).max() > 0.1
    expected = [t.states(given, tf.constant(v)) for t, v in zip(made, vectors, strict=True)]
    states = stacked.states(given, vectors).numpy()
    assert states.shape == np.shape(expected)
    assert np.isfinite(states).all()
    # Padding is not computed; the newest place of a user without events is.
    inside = (given["item"].numpy() > 0) | (np.arange(length) == 0)
    np.testing.assert_allclose(
        states[:, inside], np.array(expected)[:, inside], rtol=1e-4, atol=1e-5
    )


def test_a_batch_of_no_users_is_answered():
    given = {name: column[:0] for name, column in events(6).items()}
    stacked = StackedTowers(towers(2, 2, 2))
    assert stacked(given, tf.zeros([2, 0, 6, 8])).shape == (2, 0, 8)
    assert stacked.states(given, tf.zeros([2, 0, 6, 8])).shape == (2, 0, 6, 8)
