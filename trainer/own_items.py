"""Scoring "buys this again": a logit bonus for the items that a user already had.

About half of a shop's next purchases are repeats, and how often and how recently a customer bought
an item says more about them than any embedding. The bonus is learnt from those counts and times,
together with the state of the encoder (a customer in the middle of a weekly shop repeats more than
one who is browsing). It is added to the logits of the user's own items only, so retrieval over the
catalogue stays one inner product.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

DAY = 86_400.0


class OwnItems(NamedTuple):
    """The distinct items of each window; everything 0 in the places of repeats and padding."""

    item: tf.Tensor
    """int32 [batch, length], item index."""
    features: tf.Tensor
    """float32 [batch, length, FEATURES]."""


FEATURES = 7
PRIOR_WEIGHTS = (1.0, 0.0, -0.3, 0.0, 0.0, 0.0, 0.0)
PRIOR_BONUS = 4.0
"""The bonus before training: own items first, the frequent and the recent ones on top. It makes the
untrained model about as good as the strong free baseline, which a small log could not teach it."""


def summarise(items: tf.Tensor, times: tf.Tensor) -> OwnItems:
    """Counts and recency of every distinct item in a window.

    Args:
        items: int32 [batch, length], newest first, 0 = padding.
        times: int64 [batch, length], epoch seconds of the same events.

    Returns:
        For each distinct item: log count, share of the window, log position of the latest event,
        log days since it, log days between first and latest, how overdue it is against the
        item's own mean interval, and whether it occurred more than once.
    """
    batch, length = tf.shape(items)[0], tf.shape(items)[1]
    # A stable sort keeps events of one item newest first, so the first of a run is the latest.
    order = tf.argsort(items, axis=1, stable=True)
    ids = tf.gather(items, order, batch_dims=1)
    age = tf.cast(times[:, :1] - times, tf.float32) / DAY
    # A client may send times in any order; an age is never negative.
    age = tf.gather(tf.where(items > 0, tf.maximum(age, 0.0), 0.0), order, batch_dims=1)
    starts = tf.concat(
        [tf.ones([batch, tf.minimum(length, 1)], tf.bool), ids[:, 1:] != ids[:, :-1]], axis=1
    )
    run = tf.cumsum(tf.cast(starts, tf.int32), axis=1) - 1 + tf.range(batch)[:, None] * length
    flat = tf.reshape(run, [-1])
    size = batch * length
    count = tf.gather(tf.math.unsorted_segment_sum(tf.ones_like(flat, tf.float32), flat, size), run)
    oldest = tf.gather(tf.math.unsorted_segment_max(tf.reshape(age, [-1]), flat, size), run)

    keep = starts & (ids > 0)
    events = tf.reduce_sum(tf.cast(items > 0, tf.float32), axis=1, keepdims=True)
    span = tf.maximum(oldest - age, 0.0)
    interval = span / tf.maximum(count - 1.0, 1.0)
    overdue = tf.where(count > 1.0, tf.math.log1p(age) - tf.math.log1p(interval), 0.0)
    features = tf.stack(
        [
            tf.math.log(count),
            count / tf.maximum(events, 1.0),
            tf.math.log1p(tf.cast(order, tf.float32)),
            tf.math.log1p(age),
            tf.math.log1p(span),
            overdue,
            tf.cast(count > 1.0, tf.float32),
        ],
        axis=-1,
    )
    return OwnItems(tf.where(keep, ids, 0), tf.where(keep[:, :, None], features, 0.0))


@keras.saving.register_keras_serializable(package="cohortrec")
class RepeatBonus(keras.layers.Layer):
    """Logit bonus of a user's own items from their counts, recency and the encoder's state.

    A linear part that starts as own items by frequency and recency, a one-hidden-layer network
    over the features of `summarise` and a projection of the query, and a learnt propensity per
    item (milk is bought again, a printer is not).

    Args:
        items: catalogue size; item indices run from 1 to `items`.
        hidden: width of the hidden layer.
    """

    def __init__(self, items: int, hidden: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.items = items
        self.hidden = hidden
        self.prior = keras.layers.Dense(
            1,
            kernel_initializer=lambda shape, dtype=None: tf.constant(PRIOR_WEIGHTS, dtype, shape),
            bias_initializer=keras.initializers.Constant(PRIOR_BONUS),
            name="prior",
        )
        self.own = keras.layers.Dense(hidden, name="own")
        self.query = keras.layers.Dense(hidden, use_bias=False, name="query")
        self.out = keras.layers.Dense(1, kernel_initializer="zeros", name="out")

    def build(self, query_shape: tuple[int | None, ...]) -> None:
        """Creates the weights for queries [batch, width]."""
        self.prior.build((None, None, FEATURES))
        self.own.build((None, None, FEATURES))
        self.query.build(query_shape)
        self.out.build((None, None, self.hidden))
        self.propensity = self.add_weight(
            name="propensity", shape=(self.items + 1,), initializer="zeros"
        )

    def call(self, query: tf.Tensor, own: OwnItems) -> tf.Tensor:
        """Bonus float32 [batch, length] for the items in `own.item`; 0 where that is 0."""
        hidden = tf.nn.gelu(self.own(own.features) + self.query(query)[:, None, :])
        bonus = tf.squeeze(self.out(hidden) + self.prior(own.features), axis=-1)
        known = tf.where(own.item <= self.items, own.item, 0)
        bonus += tf.gather(tf.cast(self.propensity, bonus.dtype), known)
        return tf.where(known > 0, tf.cast(bonus, tf.float32), 0.0)

    def take_from(self, other: RepeatBonus) -> None:
        """Copies the weights of a bonus over the first items of this one's catalogue."""
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            mine.set_weights(theirs.get_weights())
        new = self.items - other.items
        self.propensity.assign(np.append(other.propensity.numpy(), np.zeros(new, np.float32)))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "items": self.items, "hidden": self.hidden}
