"""Specialists as one computation give the mixture of their whole queries."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.towers import events, towers
from trainer.inference.routed_specialists import RoutedSpecialists
from trainer.inference.served_encoder import ITEM_PARTS

WEIGHTS = {
    "mixed": [[0.25, 0.0, 0.5], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
    "noise": [[0.0, 0.0, 0.0]] * 3,
    "all": [[0.2, 0.3, 0.5]] * 3,
}


@pytest.fixture(scope="module")
def own():
    """Three clusters' own towers by place: one, none, and two members of three."""
    made = towers(6, 2, 2)
    return made[:3], [{1: made[3]}, {}, {0: made[4], 2: made[5]}]


def looked_up(length: int):
    parts = np.random.default_rng(2).normal(size=(3, 3, length, 8)).astype(np.float32)
    return {**events(length), ITEM_PARTS: parts}


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("length", [1, 6])
def test_the_mixture_of_the_whole_queries(own, kind, length):
    shared, clusters = own
    given, weights = looked_up(length), np.array(WEIGHTS[kind], np.float32)
    parts = given[ITEM_PARTS]

    def query(members):
        return np.concatenate([m(given, p) for m, p in zip(members, parts, strict=True)], -1) / 3

    whole = [[mine.get(m, shared[m]) for m in range(3)] for mine in clusters]
    base = query(shared)
    expected = base + sum(
        weights[:, k : k + 1] * (query(members) - base) for k, members in enumerate(whole)
    )
    routed = RoutedSpecialists(clusters)
    for combined in (routed.combined, tf.function(routed.combined)):
        got = combined(tf.constant(base), tf.constant(weights), given).numpy()
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    changed = np.abs(expected - base).max(axis=1) > 0.01
    np.testing.assert_array_equal(changed, weights.sum(axis=1) > 0)


def test_a_batch_of_no_users(own):
    given = looked_up(6)
    given = {n: c[:, :0] if n == ITEM_PARTS else c[:0] for n, c in given.items()}
    query = RoutedSpecialists(own[1]).combined(tf.zeros([0, 24]), tf.zeros([0, 3]), given)
    assert query.shape == (0, 24)
