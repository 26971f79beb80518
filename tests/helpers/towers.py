"""Event towers of random weights, and events for them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.encoder.event_tower import EventTower


def towers(members: int, layers: int, heads: int, lora: bool = False):
    """Random ones that read everything an event may have."""
    made = [
        EventTower(
            actions=3,
            use_time=True,
            use_price=True,
            width=8,
            layers=layers,
            heads=heads,
            feedforward=12,
            dropout=0.3,
            max_events=6,
        )
        for _ in range(members)
    ]
    rng = np.random.default_rng(0)
    for tower in made:
        tower.build()
        if lora:
            tower.enable_lora(2)
        for weight in tower.weights:
            if weight.dtype == "float32":
                weight.assign(rng.normal(0, 0.5, weight.shape))
    return made


def events(length: int):
    """Users with no event, one, and as many as fit; unknown actions and padding among them."""

    rng = np.random.default_rng(1)
    count = np.array([[0], [1], [length]])
    inside = np.arange(length) < count
    columns = {
        name: tf.constant(rng.integers(0, 9, inside.shape) * inside, tf.int32)
        for name in ("action", "gap", "hour", "weekday")
    }
    amounts = {n: tf.constant(rng.normal(size=inside.shape), tf.float32) for n in _AMOUNTS}
    return {"item": tf.constant(inside * 1, tf.int32), **columns, **amounts}


_AMOUNTS = ("price", "quantity")
