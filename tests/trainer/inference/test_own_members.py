"""A specialist is trained, kept and run in its own members only."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.config import SpecialistConfig
from trainer.encoder.tower_ensemble import TowerEnsemble
from trainer.inference.own_members import OwnMembers, leave_trainable
from trainer.training.next_item_model import NextItemModel


@pytest.fixture
def specialist(encoder):
    """As the encoder, but for its second member."""

    members = [
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(member))
        for member in encoder.tower.members
    ]
    for copy, member in zip(members, encoder.tower.members, strict=True):
        copy.build()
        copy.set_weights(member.get_weights())
    rng = np.random.default_rng(1)
    members[1].set_weights([w + rng.normal(0, 0.3, w.shape) for w in members[1].get_weights()])
    return TowerEnsemble(members)


def test_what_it_changes_is_the_difference_of_the_queries(encoder, specialist, events):
    vectors = encoder.catalogue(events["item"], events["category"])
    query = encoder.tower(events, vectors)
    own = OwnMembers(specialist, encoder.tower)
    assert own.places == [1]
    assert own.towers == [specialist.members[1]]
    change = own.change(events, vectors, query).numpy()
    np.testing.assert_allclose(change, (specialist(events, vectors) - query).numpy(), atol=1e-6)
    assert np.abs(change[:, 8:16]).max() > 0.01
    assert (change[:, :8] == 0).all()
    assert (change[:, 16:] == 0).all()


def test_one_that_changed_nothing_is_not_run(encoder, events):
    own = OwnMembers(encoder.tower, encoder.tower)
    assert own.towers == []
    vectors = encoder.catalogue(events["item"], events["category"])
    assert (own.change(events, vectors, encoder.tower(events, vectors)).numpy() == 0).all()


def test_the_first_members_learn_what_the_frozen_ones_lack(encoder, events):
    """Their loss is that of the whole query, and dropout leaves the frozen ones alone."""

    encoder.catalogue.trainable = False
    own = leave_trainable(encoder.tower, SpecialistConfig().members)
    assert own == encoder.tower.members[:1]
    model = NextItemModel(encoder, SpecialistConfig())
    model.build()
    assert {id(v) for v in model.trainable_variables} == {id(v) for v in own[0].trainable_variables}
    assert model.later_items == 0
    targets = tf.constant([[4], [7]], tf.int32)
    query = encoder(events)
    predicted = {"query": query, "own": None, "period": None, "asked": None}
    loss = model.compute_loss(y=targets, y_pred=predicted)
    scores = encoder.catalogue.logits(query, None)
    expected = tf.keras.losses.sparse_categorical_crossentropy(
        targets[:, 0], scores, from_logits=True
    )
    np.testing.assert_allclose(float(loss), expected.numpy().mean(), rtol=1e-4)
    vectors = encoder.catalogue(events["item"], events["category"])
    noisy = encoder.tower(events, vectors, training=True).numpy()
    assert not np.allclose(noisy[:, :8], query[:, :8])
    np.testing.assert_allclose(noisy[:, 8:], query[:, 8:], atol=1e-6)
