"""What a history says of the user's own items: how often, how lately, in what rhythm.

About half of a shop's next purchases are repeats, and how often and how recently a customer bought
an item says more about them than any embedding. These are the features from which
`trainer/encoder/repeat_bonus.py` scores "buys this again". All of them come from the history alone,
so a request needs nothing else.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf

from trainer.data.encoder_inputs import OWN_ACTION, OWN_ITEM, OWN_TIME
from trainer.encoder.window_groups import Instants, instants_of, item_runs_of

DAY = 86_400.0
INSTANT_HALF_LIVES = (2, 5, 10, 20, 40, 80)
DAY_HALF_LIVES = (7, 28, 60, 120)
SMALL_HALF_LIVES = (5, 20, 80)
SHARES = (
    *(f"share_{h}_instants" for h in INSTANT_HALF_LIVES),
    *(f"share_{h}_days" for h in DAY_HALF_LIVES),
    *(f"share_{h}_small" for h in SMALL_HALF_LIVES),
)
"""Decayed shares of the user's instants that had the item, see `_decayed_shares`."""
ACTIONS = 4
"""So many actions are told from each other, the most frequent ones of the log."""
BY_ACTION = (
    *(f"log_count_action_{a}" for a in range(1, ACTIONS + 1)),
    *(f"recency_action_{a}" for a in range(1, ACTIONS + 1)),
)
"""What was done with the item: how often, and how many instants ago; see `summarise`."""
FEATURE_NAMES = (
    "log_count",
    "share_of_window",
    "log_position",
    "log_age",
    "log_span",
    "overdue",
    "repeated",
    "log_users_items",
    "log_users_instants",
    "log_instants_ago",
    "log_interval",
    "overdue_instants",
    "rate_since_first",
    *SHARES,
    *BY_ACTION,
)
"""What is known of each own item, in this order; see `summarise`."""
_FADED = 100.0
"""After so many half-lives an event counts no less: 2 to the power of it is still a float."""


class OwnItems(NamedTuple):
    """The distinct items of each window, n at most; everything 0 in the places that are left."""

    item: tf.Tensor
    """int32 [batch, n], item index."""
    features: tf.Tensor
    """float32 [batch, n, len(FEATURE_NAMES)]."""


class FlatOwnItems(NamedTuple):
    """`OwnItems` of a batch without the places that are left."""

    item: tf.Tensor
    """int32 [items of all users]."""
    features: tf.Tensor
    """float32 [items of all users, len(FEATURE_NAMES)]."""
    splits: tf.Tensor
    """int64 [batch + 1]. The items of user `u` begin at `splits[u]` and end before
    `splits[u + 1]`."""

    @classmethod
    def of(cls, own: OwnItems) -> FlatOwnItems:
        """The same items."""
        there = own.item > 0
        counts = tf.math.count_nonzero(there, axis=1)
        splits = tf.pad(tf.cumsum(counts), [[1, 0]])
        return cls(tf.boolean_mask(own.item, there), tf.boolean_mask(own.features, there), splits)

    def padded(self) -> OwnItems:
        """The same items, side by side for each user."""
        return OwnItems(*(self._rows(flat).to_tensor() for flat in (self.item, self.features)))

    def _rows(self, flat: tf.Tensor) -> tf.RaggedTensor:
        return tf.RaggedTensor.from_row_splits(flat, self.splits, validate=False)


def summarise(items: tf.Tensor, times: tf.Tensor, actions: tf.Tensor | None = None) -> OwnItems:
    """Counts, recency and rhythm of every distinct item in a window.

    Days are counted back from the window's newest event, positions from its place, instants from
    the newest one.

    Args:
        items: int32 [batch, length], newest first, 0 = padding.
        times: int64 [batch, length], epoch seconds of the same events.
        actions: int32 [batch, length], what was done, from 1 on in the order of frequency; None
            where all events are of one kind.

    Returns:
        The distinct items with `FEATURE_NAMES`. Of the item:

        - `log_count`, log of how often it occurs, and `share_of_window`, that count as a share of
          all events;
        - `log_position`, `log_age` and `log_instants_ago`, log of the place of its latest event, of
          the days and of the instants since;
        - `log_span`, log of the days between its first and its latest event, and `log_interval`,
          log of its mean interval in instants (0 where it occurs in one only);
        - `overdue` and `overdue_instants`, the log of its age against its own mean interval, in
          days and in instants;
        - `repeated`, whether it occurs more than once;
        - `rate_since_first`, share of the instants since its first one that had it;
        - `SHARES`, decayed shares of the user's instants that had it;
        - `BY_ACTION`, for each action the log of how often it was done, and 1 / (1 + instants since
          the last time), 0 for what was never done. All 0 without `actions`.

        Of the user: `log_users_items` and `log_users_instants`, the log of how many
        distinct items and instants the window has.
    """
    batch, length = tf.shape(items)[0], tf.shape(items)[1]
    age = tf.cast(times[:, :1] - times, tf.float32) / DAY
    # A client may send times in any order; an age is never negative.
    age = tf.where(items > 0, tf.maximum(age, 0.0), 0.0)
    instants = instants_of(items, times)
    runs = item_runs_of(items, instants.ago)
    shares, totals = _decayed_shares(age, instants)
    flat = tf.reshape(runs.run, [-1])

    def of_items(reduce: Any, values: tf.Tensor) -> tf.Tensor:
        """Columns [batch, length, n] reduced over the events of each item."""
        columns = tf.reshape(values, [batch * length, values.shape[-1]])
        reduced = reduce(columns, flat, batch * length)
        return tf.reshape(reduced, [batch, length, values.shape[-1]])[:, : runs.most]

    of_events = tf.stack([tf.ones_like(age), runs.counted], axis=-1)
    sums = of_items(
        tf.math.unsorted_segment_sum,
        tf.concat([of_events, shares * runs.counted[..., None]], axis=-1),
    )
    count, baskets = tf.unstack(sums[..., :2], axis=-1)
    index = tf.cast(tf.broadcast_to(tf.range(length), tf.shape(items)), tf.float32)
    ages = [index, age, instants.ago, -age, -instants.ago]
    least = of_items(tf.math.unsorted_segment_min, tf.stack(ages, axis=-1))
    position, days, ago, first_days, first_ago = tf.unstack(least, axis=-1)
    item = of_items(tf.math.unsorted_segment_max, items[..., None])[..., 0]
    keep = (count > 0.0) & (item > 0)
    span, ago_span = -first_days - days, -first_ago - ago
    interval = ago_span / tf.maximum(baskets - 1.0, 1.0)

    def overdue(since: tf.Tensor, interval: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        return tf.where(times > 1.0, tf.math.log1p(since) - tf.math.log1p(interval), 0.0)

    def of_user(which: tf.Tensor) -> tf.Tensor:
        number = tf.reduce_sum(tf.cast(which, tf.float32), axis=1, keepdims=True)
        return tf.broadcast_to(tf.math.log1p(number), tf.shape(item))

    events = tf.reduce_sum(tf.cast(items > 0, tf.float32), axis=1, keepdims=True)
    named = {
        "log_count": tf.math.log(count),
        "share_of_window": count / tf.maximum(events, 1.0),
        "log_position": tf.math.log1p(position),
        "log_age": tf.math.log1p(days),
        "log_span": tf.math.log1p(span),
        "overdue": overdue(days, span / tf.maximum(count - 1.0, 1.0), count),
        "repeated": tf.cast(count > 1.0, tf.float32),
        "log_users_items": of_user(keep),
        "log_users_instants": of_user(instants.opens),
        "log_instants_ago": tf.math.log1p(ago),
        "log_interval": tf.math.log1p(interval),
        "overdue_instants": overdue(ago, interval, baskets),
        "rate_since_first": baskets / (1.0 - first_ago),
    }
    features = tf.stack([named[name] for name in FEATURE_NAMES[: len(named)]], axis=-1)
    decayed = tf.math.divide_no_nan(sums[..., 2:], totals[:, None])
    if actions is None:
        done = tf.zeros([*tf.unstack(tf.shape(item)), len(BY_ACTION)])
    else:
        which = tf.one_hot(actions - 1, ACTIONS)
        lately = which / (1.0 + instants.ago[..., None])
        counts = of_items(tf.math.unsorted_segment_sum, which)
        recency = of_items(tf.math.unsorted_segment_max, lately)
        done = tf.concat([tf.math.log1p(counts), recency], axis=-1)
    features = tf.concat([features, decayed, done], axis=-1)
    return OwnItems(tf.where(keep, item, 0), tf.where(keep[..., None], features, 0.0))


def _decayed_shares(age: tf.Tensor, instants: Instants) -> tuple[tf.Tensor, tf.Tensor]:
    """What each event weighs in each of `SHARES`, and what all instants of a user weigh.

    An instant weighs half as much as one that is a half-life younger, in instants or in days. In
    the shares called small, an instant of n events weighs 1 / n: what is taken alone is taken on
    purpose.

    Args:
        age: float32 [batch, length], days.
        instants: of the same events.

    Returns:
        float32 [batch, length, len(SHARES)] and [batch, len(SHARES)].
    """
    ago, days = instants.ago[..., None], age[..., None]
    half_lives = [
        ago / tf.constant(INSTANT_HALF_LIVES, tf.float32),
        days / tf.constant(DAY_HALF_LIVES, tf.float32),
        ago / tf.constant(SMALL_HALF_LIVES, tf.float32),
    ]
    decayed = tf.exp(tf.minimum(tf.concat(half_lives, axis=-1), _FADED) * -math.log(2.0))
    large, small = tf.split(decayed, [-1, len(SMALL_HALF_LIVES)], axis=-1)
    stacked = tf.concat([large, small / instants.size[..., None]], axis=-1)
    opens = tf.cast(instants.opens, tf.float32)[..., None]
    return stacked, tf.reduce_sum(stacked * opens, axis=1)


def own_items_in(inputs: dict[str, tf.Tensor]) -> OwnItems | None:
    """Summary of the user's own items, where the encoder's inputs carry their window."""
    if OWN_ITEM not in inputs:
        return None
    return summarise(inputs[OWN_ITEM], inputs[OWN_TIME], inputs.get(OWN_ACTION))
