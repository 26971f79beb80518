"""The vector by which a user is clustered: the query, or a mean of states along the history.

- `last_state`: the query itself, the state above the newest event: what the user wants next.
- `mean_states`: the mean of the states above all events of the window: what the user is like, less
  dependent on the last purchase.
- `multi_period`: the means over the newest, the middle and the oldest third of the window's events,
  side by side: users who changed differ from users who did not. Thirds are taken by position, not
  by time, so that logs without real times have them as well and no third is empty; with fewer than
  three events they overlap.

The encoder's export, from which users are clustered, and the combined model, which assigns clusters
when it serves, both use this module.
"""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import tensorflow as tf

from trainer.data import features
from trainer.encoder.batched_product import few_rows_product

Representation = Literal["last_state", "mean_states", "multi_period"]
REPRESENTATIONS: tuple[Representation, ...] = get_args(Representation)
LAST_STATE: Representation = "last_state"
_PARTS: dict[Representation, int] = {"mean_states": 1, "multi_period": 3}
POOLED: tuple[Representation, ...] = tuple(_PARTS)
"""Representations that need the states above all events."""


class Encoder(Protocol):
    """A `BehaviorEncoder`, or one that answers like it."""

    def __call__(self, events: dict[str, tf.Tensor]) -> tf.Tensor:
        """Queries [batch, width] of event windows."""

    def states(self, events: dict[str, tf.Tensor]) -> tf.Tensor:
        """States above all events, [batch, length, width]; at place 0 the query."""


def dimensions(kind: Representation, width: int) -> int:
    """Dimensions of a representation by an encoder of this width."""
    return _PARTS.get(kind, 1) * width


def query_and_representation(
    encoder: Encoder, events: dict[str, tf.Tensor], kind: Representation
) -> tuple[tf.Tensor, tf.Tensor]:
    """The vector that recommends items to a user, and the vector that is clustered.

    The states above older events are only computed where the representation needs them.

    Args:
        encoder: the global encoder.
        events: as for `BehaviorEncoder.call`.
        kind: which representation.

    Returns:
        The query, float32 [batch, width], and the representation, float32 [batch, dim], see
        `dimensions`.
    """
    if kind == LAST_STATE:
        query = tf.cast(encoder(events), tf.float32)
        return query, query
    states = tf.cast(encoder.states(events), tf.float32)
    return states[:, 0], pool_states(states, events[features.ITEM], kind)


def pool_states(states: tf.Tensor, items: tf.Tensor, kind: Representation) -> tf.Tensor:
    """A pooled representation, [batch, parts * width], the newest part first.

    Args:
        states: float32 [batch, length, width], newest first; the width is known statically.
        items: [batch, length], 0 = padding. A user without events is the state at place 0.
        kind: one of `POOLED`.
    """
    parts = _PARTS[kind]
    events = tf.maximum(tf.reduce_sum(tf.cast(items > 0, tf.int32), axis=1), 1)
    part = tf.range(parts)[None, :]
    first = part * events[:, None] // parts
    end = tf.maximum((part + 1) * events[:, None] // parts, first + 1)
    place = tf.range(tf.shape(states)[1])[None, None, :]
    inside = (place >= first[..., None]) & (place < end[..., None])
    weights = tf.cast(inside, tf.float32) / tf.cast(end - first, tf.float32)[..., None]
    means = few_rows_product(weights, states)
    return tf.reshape(means, [-1, parts * states.shape[-1]])
