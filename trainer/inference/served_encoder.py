"""The encoder as it is served: item vectors as of the log's end, towers laid out for answering."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.tower_ensemble import members_of, side_by_side
from trainer.inference.stacked_towers import StackedTowers

ITEM_PARTS = "item_parts"
"""Column of events: their items' vectors, split into the parts of the M members."""


class ServedEncoder(tf.Module):
    """Gives the same answers as a `BehaviorEncoder` in fewer operations; it cannot be trained.

    Args:
        encoder: whose current weights are copied.

    Attributes:
        catalogue: its biases are those of asking for a target action, where the encoder asks.
        asked_bias: float32 [items + 1], what these have more than those of asking for any event;
            None where the encoder does not ask.
    """

    def __init__(self, encoder: BehaviorEncoder) -> None:
        super().__init__(name="served_encoder")
        served = encoder.as_of_log_end()
        self.catalogue = served.catalogue
        asked = encoder.catalogue.biases.asked
        self.asked_bias = None if asked is None else asked.numpy().astype(np.float32)
        self.exclude_seen = served.exclude_seen
        self.own_events = served.own_events
        self.max_events = served.tower.max_events
        self.width = served.tower.width
        self._members = served.members
        self._towers = StackedTowers(members_of(served.tower))

    def looked_up(self, events: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Adds to events the vectors of their items, which calls and `states` need.

        Args:
            events: as for `BehaviorEncoder.call`.

        Returns:
            The events with `ITEM_PARTS`, float32 [M, batch, length, member width].
        """
        vectors = self.catalogue(events[features.ITEM], events[features.CATEGORY])
        parts = tf.split(tf.cast(vectors, tf.float32), self._members, axis=-1)
        return {**events, ITEM_PARTS: tf.stack(parts)}

    def __call__(self, events: dict[str, tf.Tensor]) -> tf.Tensor:
        """Queries float32 [batch, width] of what `looked_up` returns; `ASKED` may be added."""
        return side_by_side(self._towers(events, events[ITEM_PARTS]))

    def states(self, events: dict[str, tf.Tensor]) -> tf.Tensor:
        """States above all events, float32 [batch, length, width]; at place 0 the query."""
        states = side_by_side(self._towers.states(events, events[ITEM_PARTS]))
        return tf.ensure_shape(states, [None, None, self.width])
