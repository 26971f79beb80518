"""What is clustered: pooled by hand, blind to padding, and no dearer than needed."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.clusters.representation import (
    POOLED,
    REPRESENTATIONS,
    dimensions,
    pool_states,
    query_and_representation,
)
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower
from trainer.encoder.tower_ensemble import TowerEnsemble


@pytest.fixture(scope="module")
def small():
    """An encoder of two towers with random weights, and windows of 0 to 7 events, newest first."""

    keras.utils.set_random_seed(1)
    settings = {"actions": 0, "use_time": False, "use_price": False, "width": 8, "layers": 2}
    shape = {"heads": 2, "feedforward": 16, "dropout": 0.1, "max_events": 8}
    towers = [EventTower(**settings, **shape) for _ in range(2)]
    catalogue = Catalogue(items=20, categories=0, own_items=False, width=16)
    encoder = BehaviorEncoder(catalogue, TowerEnsemble(towers), False, 0)
    encoder.build()
    rng = np.random.default_rng(0)
    for weight in encoder.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    items = rng.integers(1, 21, (8, 7)) * (np.arange(7) < np.arange(8)[:, None])
    events = {"item": tf.constant(items, tf.int32), "category": tf.zeros_like(items)}
    return SimpleNamespace(encoder=encoder, events=events)


def test_thirds_by_hand():
    states = tf.constant(np.arange(14, dtype=np.float32).reshape(1, 7, 2).repeat(5, axis=0))
    items = tf.constant(np.arange(7) < np.array([[0], [1], [2], [3], [7]]), tf.int32)
    first = states.numpy()[0]
    thirds = pool_states(states, items, "multi_period").numpy().reshape(5, 3, 2)
    np.testing.assert_allclose(thirds[0], [first[0]] * 3)  # no events: the state that is there
    np.testing.assert_allclose(thirds[1], [first[0]] * 3)
    np.testing.assert_allclose(thirds[2], [first[0], first[0], first[1]])
    np.testing.assert_allclose(thirds[3], first[:3])
    expected = [first[:2].mean(0), first[2:4].mean(0), first[4:].mean(0)]
    np.testing.assert_allclose(thirds[4], expected)
    mean = pool_states(states, items, "mean_states").numpy()
    np.testing.assert_allclose(mean[[0, 1, 3, 4]], [first[0], first[0], first[1], first[3]])


@pytest.mark.parametrize("kind", REPRESENTATIONS)
def test_the_query_stays_the_query(small, kind):
    query, representation = query_and_representation(small.encoder, small.events, kind)
    np.testing.assert_allclose(query, small.encoder(small.events), atol=1e-5)
    assert representation.shape == (8, dimensions(kind, 16))
    assert (kind == "last_state") == (representation is query)


@pytest.mark.parametrize("kind", POOLED)
def test_padding_does_not_count(small, kind):
    padded = {name: tf.pad(column, [[0, 0], [0, 1]]) for name, column in small.events.items()}
    expected = query_and_representation(small.encoder, small.events, kind)[1]
    got = query_and_representation(small.encoder, padded, kind)[1]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_states_are_not_computed_for_the_last_one(small, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the states above all events were computed")

    monkeypatch.setattr("trainer.encoder.event_tower.EventTower.states", refuse)
    query_and_representation(small.encoder, small.events, "last_state")
    with pytest.raises(AssertionError, match="were computed"):
        query_and_representation(small.encoder, small.events, "mean_states")
