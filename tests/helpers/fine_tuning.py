"""Specialists and controls as Trainers leave them, and histories of users in parts."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from trainer.encoder.encoder import BehaviorEncoder
from trainer.raw_history import RANDOM_PART

LONGEST = 12

PARTS = 2


def in_part(record: bytes, user: int) -> bytes:
    """A history cut to its first events, of a user who is in a part of the random partition."""
    example = tf.train.Example.FromString(record)
    feature, events = example.features.feature, user % LONGEST + 1
    for name in ("item_ids", "actions", "timestamps", "prices", "quantities", "categories"):
        values = getattr(feature[name], feature[name].WhichOneof("kind")).value
        del values[events:]
    feature["first_target"].int64_list.value[0] = events
    feature[RANDOM_PART].int64_list.value.append(user % PARTS)
    return example.SerializeToString()


def fine_tuned(encoder: BehaviorEncoder, own: Sequence[int], seed: int) -> BehaviorEncoder:
    """A copy of the encoder with other weights in the members named, as a Trainer leaves it."""
    tower = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(encoder.tower)
    )
    tower.build()
    rng = np.random.default_rng(seed)
    for place, (copy, member) in enumerate(zip(tower.members, encoder.tower.members, strict=True)):
        change = 0.2 if place in own else 0.0
        copy.set_weights([w + change * rng.normal(size=w.shape) for w in member.get_weights()])
    return BehaviorEncoder(encoder.catalogue, tower, encoder.exclude_seen, encoder.own_events)
