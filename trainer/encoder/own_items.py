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

from trainer.data.encoder_inputs import OWN_ITEM, OWN_TIME
from trainer.data.item_statistics import STATISTICS

DAY = 86_400.0


FEATURE_NAMES = (
    "log_count",
    "share_of_window",
    "log_position",
    "log_age",
    "log_span",
    "overdue",
    "repeated",
    "log_foremost_place",
    "log_times_first",
    "mean_share_before",
    "log_users_items",
    "log_users_instants",
)
"""What is known of each own item, in this order; see `summarise`."""
PRIOR_BONUS = 4.0
PRIOR_WEIGHTS = {"log_count": 1.0, "log_position": -0.3}
"""The bonus before training: own items first, frequent and recent ones on top. So the untrained
model is about as good as the strong free baseline, which a small log could not teach it. All other
features start with weight 0."""


class OwnItems(NamedTuple):
    """The distinct items of each window; everything 0 in the places of repeats and padding."""

    item: tf.Tensor
    """int32 [batch, length], item index."""
    features: tf.Tensor
    """float32 [batch, length, len(FEATURE_NAMES)]."""


def summarise(items: tf.Tensor, times: tf.Tensor) -> OwnItems:
    """Counts and recency of every distinct item in a window.

    Days are counted back from the window's newest event, positions from its place.

    Args:
        items: int32 [batch, length], newest first, 0 = padding.
        times: int64 [batch, length], epoch seconds of the same events.

    Returns:
        The distinct items with `FEATURE_NAMES`. Of the item:

        - `log_count`, log of how often it occurs, and `share_of_window`, that count as a share of
          all events;
        - `log_position` and `log_age`, log of the place of its latest event and of the days since;
        - `log_span`, log of the days between its first and its latest event;
        - `overdue`, the log of that age against the item's own mean interval;
        - `repeated`, whether it occurs more than once.

        Of its places in baskets (see `_places`): `log_foremost_place`, log of the foremost one;
        `log_times_first`, log of how often it opened a basket; `mean_share_before`, mean share of
        the basket that came before it. Of the user: `log_users_items` and `log_users_instants`,
        the log of how many distinct items and instants the window has.
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

    def of_item(reduce: Any, values: tf.Tensor) -> tf.Tensor:
        return tf.gather(reduce(tf.reshape(values, [-1]), flat, size), run)

    places = _places(items, times)
    place, before, first = (tf.gather(v, order, batch_dims=1) for v in places)
    count = of_item(tf.math.unsorted_segment_sum, tf.ones_like(age))
    oldest = of_item(tf.math.unsorted_segment_max, age)

    keep = starts & (ids > 0)
    events = tf.reduce_sum(tf.cast(items > 0, tf.float32), axis=1, keepdims=True)
    span = tf.maximum(oldest - age, 0.0)
    interval = span / tf.maximum(count - 1.0, 1.0)
    overdue = tf.where(count > 1.0, tf.math.log1p(age) - tf.math.log1p(interval), 0.0)

    def of_user(events: tf.Tensor) -> tf.Tensor:
        total = tf.reduce_sum(tf.cast(events, tf.float32), axis=1, keepdims=True)
        return tf.broadcast_to(tf.math.log1p(total), tf.shape(items))

    named = {
        "log_count": tf.math.log(count),
        "share_of_window": count / tf.maximum(events, 1.0),
        "log_position": tf.math.log1p(tf.cast(order, tf.float32)),
        "log_age": tf.math.log1p(age),
        "log_span": tf.math.log1p(span),
        "overdue": overdue,
        "repeated": tf.cast(count > 1.0, tf.float32),
        "log_foremost_place": tf.math.log1p(of_item(tf.math.unsorted_segment_min, place)),
        "log_times_first": tf.math.log1p(of_item(tf.math.unsorted_segment_sum, first)),
        "mean_share_before": of_item(tf.math.unsorted_segment_sum, before) / count,
        "log_users_items": of_user(keep),
        "log_users_instants": of_user((places[0] == 0) & (items > 0)),
    }
    features = tf.stack([named[name] for name in FEATURE_NAMES], axis=-1)
    return OwnItems(tf.where(keep, ids, 0), tf.where(keep[:, :, None], features, 0.0))


def _places(items: tf.Tensor, times: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Where each event stands among those of its instant: what a customer puts down first.

    Args:
        items: int32 [batch, length], newest first, 0 = padding.
        times: int64 [batch, length].

    Returns:
        float32 [batch, length] each: how many events of the instant came before; their share of
        the others (0 in an instant of one event); whether it opened an instant of several.
    """
    batch, length = tf.shape(items)[0], tf.shape(items)[1]
    present = items > 0
    moved = (times[:, 1:] != times[:, :-1]) | (present[:, 1:] != present[:, :-1])
    instant = tf.cumsum(tf.pad(tf.cast(moved, tf.int32), [[0, 0], [tf.minimum(length, 1), 0]]), 1)
    instant += tf.range(batch)[:, None] * length
    flat, size = tf.reshape(instant, [-1]), batch * length
    index = tf.broadcast_to(tf.range(length), tf.shape(items))
    oldest = tf.gather(tf.math.unsorted_segment_max(tf.reshape(index, [-1]), flat, size), instant)
    others = tf.gather(tf.math.unsorted_segment_sum(tf.ones_like(flat), flat, size), instant) - 1
    before = oldest - index
    opened = (before == 0) & (others > 0)
    share = tf.math.divide_no_nan(tf.cast(before, tf.float32), tf.cast(others, tf.float32))
    return tf.cast(before, tf.float32), share, tf.cast(opened, tf.float32)


@keras.saving.register_keras_serializable(package="cohortrec")
class RepeatBonus(keras.layers.Layer):
    """Logit bonus of a user's own items from their counts, recency and the encoder's state.

    A linear part that starts as own items by frequency and recency, a one-hidden-layer network
    over the features of `summarise`, what is known of the item and a projection of the query, and
    a learnt propensity per item (milk is bought again, a printer is not).

    How popular an item is, how often it comes first in a basket and whether it sold recently count
    differently for own items than for others: a customer's popular items are bought again more
    often, but far less than in proportion (Online Retail: `docs/journal/results.md`).

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
            kernel_initializer=_prior_kernel,
            bias_initializer=keras.initializers.Constant(PRIOR_BONUS),
            name="prior",
        )
        self.own = keras.layers.Dense(hidden, name="own")
        self.query = keras.layers.Dense(hidden, use_bias=False, name="query")
        self.out = keras.layers.Dense(1, kernel_initializer="zeros", name="out")

    def build(self, query_shape: tuple[int | None, ...]) -> None:
        """Creates the weights for queries [batch, width]."""
        self.prior.build((None, None, len(FEATURE_NAMES) + STATISTICS))
        self.own.build((None, None, len(FEATURE_NAMES) + STATISTICS))
        self.query.build(query_shape)
        self.out.build((None, None, self.hidden))
        self.propensity = self.add_weight(
            name="propensity", shape=(self.items + 1,), initializer="zeros"
        )

    def call(self, query: tf.Tensor, own: OwnItems, statistics: tf.Tensor) -> tf.Tensor:
        """The bonus of own items.

        Args:
            query: [batch, width].
            own: the user's own items.
            statistics: float32 [batch, length, STATISTICS] of these items.

        Returns:
            float32 [batch, length]; 0 where there is no item of the catalogue.
        """
        known = tf.where(own.item <= self.items, own.item, 0)
        facts = tf.concat([own.features, tf.cast(statistics, own.features.dtype)], axis=-1)
        hidden = tf.nn.gelu(self.own(facts) + self.query(query)[:, None, :])
        bonus = tf.squeeze(self.out(hidden) + self.prior(facts), axis=-1)
        bonus += tf.gather(tf.cast(self.propensity, bonus.dtype), known)
        return tf.where(known > 0, tf.cast(bonus, tf.float32), 0.0)

    def take_from(self, other: RepeatBonus) -> None:
        """Copies the weights of a bonus whose items are the first ones of this catalogue."""
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            mine.set_weights(theirs.get_weights())
        new = self.items - other.items
        self.propensity.assign(np.append(other.propensity.numpy(), np.zeros(new, np.float32)))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "items": self.items, "hidden": self.hidden}


def _prior_kernel(shape: tuple[int, int], dtype: Any = None) -> tf.Tensor:
    kernel = np.zeros(shape, np.float32)
    for name, weight in PRIOR_WEIGHTS.items():
        kernel[FEATURE_NAMES.index(name), 0] = weight
    return tf.constant(kernel, dtype)


def own_items_in(inputs: dict[str, tf.Tensor]) -> OwnItems | None:
    """Summary of the user's own items, where the encoder's inputs carry their window."""
    if OWN_ITEM not in inputs:
        return None
    return summarise(inputs[OWN_ITEM], inputs[OWN_TIME])
