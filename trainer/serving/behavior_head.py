"""The behaviour head as it is served: how likely a user takes some actions soon.

A logistic regression on the global encoder's state and a few counts of the latest events. It knows
what a history says and not when the request comes: the moment is right after the newest event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

BUYS_NEXT = "buys_next"
"""Output of `embed`: how likely the next instant has one of the actions, if there is a next."""
BUYS_WITHIN = "buys_within"
"""Output of `embed`: how likely one of the actions is taken within `behavior_head.days`."""

_MOST_KINDS = 10
"""So many of the log's most frequent actions are looked at."""


@dataclass(frozen=True)
class HeadInputs:
    """Makes the inputs of the head, for the fit and in the served graph alike.

    Attributes:
        kinds: how many of the most frequent actions are looked at; their indices are 1, 2, …
    """

    kinds: int

    @classmethod
    def of(cls, known: int) -> HeadInputs:
        """The inputs where Transform's vocabulary has so many actions, by falling frequency."""
        return cls(min(known, _MOST_KINDS))

    def __call__(self, query: tf.Tensor, action: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        """The inputs of a batch of histories.

        Args:
            query: float32 [batch, d], the global encoder's.
            action: int32 [batch, n], of the latest events, newest first; 0 = padding.
            time: int64 [batch, n], their epoch seconds.

        Returns:
            float32 [batch, d + 1 + 4 kinds]: the query; the log of the number of events; and of
            each frequent action its share of the events, whether the newest event has it, whether
            any has, and the log of the seconds from the latest one that has it to the newest event.
        """
        events = tf.cast(tf.math.count_nonzero(action, axis=1, keepdims=True), tf.float32)
        # Index 0 is padding, and what is above the frequent ones has no place of its own.
        of_kind = tf.one_hot(action, self.kinds + 1)[..., 1:]
        shares = tf.reduce_sum(of_kind, axis=1) / tf.maximum(events, 1.0)
        ever = tf.reduce_max(of_kind, axis=1)
        latest = tf.gather(time, tf.argmax(of_kind, axis=1), batch_dims=1)
        # Times of requests may be unknown, and then be before what came before them.
        since = tf.cast(tf.maximum(time[:, :1] - latest, 0), tf.float32)
        parts = [query, tf.math.log1p(events), shares, of_kind[:, 0], ever, tf.math.log1p(since)]
        return tf.concat(parts, axis=1)


class BehaviorHead(tf.Module):
    """Probabilities of the figures that turned out good enough to be served.

    Args:
        inputs: what the weights were fitted on.
        lines: output name to weights float [width] and bias; at least one.
    """

    def __init__(
        self, inputs: HeadInputs, lines: Mapping[str, tuple[npt.NDArray[np.floating], float]]
    ) -> None:
        super().__init__(name="behavior_head")
        self._inputs = inputs
        self._names = list(lines)
        weights = np.stack([weights for weights, _ in lines.values()], axis=1)
        biases = np.array([bias for _, bias in lines.values()])
        self._weights = tf.Variable(weights.astype(np.float32), trainable=False)
        self._biases = tf.Variable(biases.astype(np.float32), trainable=False)

    def __call__(
        self, query: tf.Tensor, action: tf.Tensor, time: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Probabilities float32 [batch] by output; arguments as for `HeadInputs`."""
        logits = tf.matmul(self._inputs(query, action, time), self._weights) + self._biases
        return dict(zip(self._names, tf.unstack(tf.sigmoid(logits), axis=1), strict=True))
