"""How likely a user takes an own item again: a sum of curves, one for each thing known of it.

A generalised additive model (Hastie and Tibshirani 1990) whose curves are piecewise linear between
quantiles of the training data. It is fitted before the encoder is trained and stays as it is
(`trainer/training/repeat_fit.py`): a few thousand baskets say more about counts and recency than
the gradients of a transformer that is busy with the catalogue.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.data.item_statistics import STATISTICS
from trainer.encoder.own_items import FEATURE_NAMES, OwnItems

BINS = 8
"""Pieces of each curve."""
ITEM_REPEATS = 2
"""How an item is taken again: the log of its lift and of its chances, see `repeat_lift`."""
INPUTS = len(FEATURE_NAMES) + STATISTICS + ITEM_REPEATS


@keras.saving.register_keras_serializable(package="cohortrec")
class RepeatCurves(keras.layers.Layer):
    """Log odds that an own item is in the next instant, from `INPUTS` curves.

    A new layer knows frequency and recency only: `log_count - 0.3 log_position`, which is about as
    good as the rule of own items. That is what a log too small to fit curves keeps.

    Args:
        items: catalogue size.

    Attributes:
        knots: weight [INPUTS, BINS + 1], where the pieces of each curve meet, ascending.
        heights: weight [INPUTS, BINS], what a curve gains over each piece.
        intercept: weight [].
        item_repeats: weight [items + 1, ITEM_REPEATS].
    """

    def __init__(self, items: int, **kwargs: Any) -> None:
        # Shares of a long history differ by less than float16 can say.
        super().__init__(**kwargs, trainable=False, dtype="float32")
        self.items = items

    def build(self, input_shape: Any = None) -> None:
        """Creates the weights; none of them is trained by gradients."""
        knots, heights = _frequency_and_recency()
        constant = keras.initializers.Constant
        self.knots = self._weight("knots", knots.shape, constant(knots))
        self.heights = self._weight("heights", heights.shape, constant(heights))
        self.intercept = self._weight("intercept", (), constant(-3.0))
        self.item_repeats = self._weight("item_repeats", (self.items + 1, ITEM_REPEATS), "zeros")
        self.built = True

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=False, autocast=False
        )

    def call(self, own: OwnItems, statistics: tf.Tensor) -> tf.Tensor:
        """The log odds.

        Args:
            own: the user's own items; 0 and items above the catalogue get 0.
            statistics: float32 [batch, length, STATISTICS] of these items.

        Returns:
            float32 [batch, length].
        """
        known = tf.where(own.item <= self.items, own.item, 0)
        # Most places of a window are padding or repeats: the curves are read where an item is.
        places = tf.where(known > 0)
        values = tf.concat(
            [
                tf.gather_nd(own.features, places),
                tf.cast(tf.gather_nd(statistics, places), tf.float32),
                tf.gather(tf.convert_to_tensor(self.item_repeats), tf.gather_nd(known, places)),
            ],
            axis=-1,
        )
        return tf.scatter_nd(places, self.of(values), tf.shape(known, tf.int64))

    def of(self, values: tf.Tensor) -> tf.Tensor:
        """The log odds float32 [rows] of inputs float32 [rows, INPUTS]."""
        knots = tf.unstack(tf.convert_to_tensor(self.knots), axis=1)
        heights = tf.unstack(tf.convert_to_tensor(self.heights)[..., None], axis=1)
        odds = tf.fill([tf.shape(values)[0], 1], tf.convert_to_tensor(self.intercept))
        for low, high, height in zip(knots[:-1], knots[1:], heights, strict=True):
            odds += tf.matmul(share_covered(values, low, high), height)
        return odds[:, 0]

    def take_from(self, other: RepeatCurves) -> None:
        """Copies the curves; items beyond those of the other have never been taken again."""
        self.knots.assign(other.knots)
        self.heights.assign(other.heights)
        self.intercept.assign(other.intercept)
        new = np.zeros((self.items - other.items, ITEM_REPEATS), np.float32)
        self.item_repeats.assign(np.concatenate([other.item_repeats.numpy(), new]))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"name": self.name, "items": self.items}


def share_covered(values: Any, low: Any, high: Any) -> tf.Tensor:
    """How much of the way from `low` to `high` each value has gone, 0 to 1; 0 where there is none.

    Args:
        values: float32 [rows, n].
        low: float32 [n].
        high: float32 [n].

    Example:
        >>> share_covered([[0.0], [2.5], [9.0]], [2.0], [4.0]).numpy().ravel().tolist()
        [0.0, 0.25, 1.0]
    """
    low = tf.convert_to_tensor(low)
    per_way = tf.math.divide_no_nan(1.0, high - low)
    return tf.clip_by_value((tf.convert_to_tensor(values) - low) * per_way, 0.0, 1.0)


def _frequency_and_recency() -> tuple[np.ndarray, np.ndarray]:
    """Knots and heights that say `log_count - 0.3 log_position`."""
    knots = np.tile(np.linspace(0.0, np.log(1024.0), BINS + 1, dtype=np.float32), (INPUTS, 1))
    heights = np.zeros((INPUTS, BINS), np.float32)
    for name, weight in (("log_count", 1.0), ("log_position", -0.3)):
        heights[FEATURE_NAMES.index(name)] = weight * np.diff(knots[0])
    return knots, heights
