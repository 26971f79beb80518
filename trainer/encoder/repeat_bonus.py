"""What a user's own items score beside the encoder: "buys this again" as a bonus on logits.

The bonus is added to the logits of the user's own items only, so that retrieval over the catalogue
stays one inner product.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.data.item_statistics import STATISTICS
from trainer.encoder.own_items import FEATURE_NAMES, OwnItems
from trainer.encoder.repeat_curves import RepeatCurves

START = 6.0
"""What the bonus of an own item is above its log odds before training, so that own items come
first."""


@keras.saving.register_keras_serializable(package="cohortrec")
class RepeatBonus(keras.layers.Layer):
    """Logit bonus of a user's own items.

    The log odds of `RepeatCurves`, which are fitted first, and what is learnt beside the encoder: a
    one-hidden-layer network over the same features and a projection of the query (a customer in the
    middle of a weekly shop repeats more than one who is browsing), and a propensity per item (milk
    is bought again, a printer is not).

    The logit of an own item can lean on either: `encoder_share` 1 is the encoder's inner product
    with this bonus; 0 is the curves alone, moved by `offset`; between them both count. Which is
    better depends on the log and is chosen on validation (`trainer/training/repeat_blend.py`): the
    order of a grocery's own items is counting, a web shop's follows what was looked at last.

    Args:
        items: catalogue size; item indices run from 1 to `items`.
        hidden: width of the hidden layer.
        blends: whether `encoder_share` may be below 1. If not, it costs nothing.
    """

    def __init__(self, items: int, hidden: int = 32, blends: bool = False, **kwargs: Any) -> None:
        # The dense layers cast for themselves; the curves need what float16 would round.
        super().__init__(**kwargs, autocast=False)
        self.items = items
        self.hidden = hidden
        self.blends = blends
        self.curves = RepeatCurves(items, name="curves")
        self.own = keras.layers.Dense(hidden, name="own")
        self.query = keras.layers.Dense(hidden, use_bias=False, name="query")
        self.out = keras.layers.Dense(
            1, kernel_initializer="zeros", name="out",
            bias_initializer=keras.initializers.Constant(START),
        )  # fmt: skip

    def build(self, query_shape: tuple[int | None, ...]) -> None:
        """Creates the weights for queries [batch, width]."""
        self.curves.build()
        self.own.build((None, None, len(FEATURE_NAMES) + STATISTICS))
        self.query.build(query_shape)
        self.out.build((None, None, self.hidden))
        self.propensity = self.add_weight(
            name="propensity", shape=(self.items + 1,), initializer="zeros"
        )
        self.encoder_share = self._chosen("encoder_share", "ones")
        self.offset = self._chosen("offset", keras.initializers.Constant(START))

    def _chosen(self, name: str, initializer: Any) -> Any:
        """A number that is chosen, not trained."""
        return self.add_weight(
            name=name, shape=(), initializer=initializer, trainable=False, autocast=False
        )

    def call(
        self,
        query: tf.Tensor,
        own: OwnItems,
        statistics: tf.Tensor,
        logits: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """The bonus of own items.

        Args:
            query: [batch, width].
            own: the user's own items.
            statistics: float32 [batch, length, STATISTICS] of these items.
            logits: float32 [batch, length], their scores without a bonus; only where the layer
                blends.

        Returns:
            float32 [batch, length]; 0 where there is no item of the catalogue.
        """
        known = tf.where(own.item <= self.items, own.item, 0)
        odds = self.curves(own, statistics)
        facts = tf.concat([own.features, tf.cast(statistics, tf.float32)], axis=-1)
        hidden = tf.nn.gelu(self.own(facts) + self.query(query)[:, None, :])
        bonus = tf.cast(tf.squeeze(self.out(hidden), axis=-1), tf.float32) + odds
        bonus += tf.gather(tf.cast(self.propensity, tf.float32), known)
        if logits is not None:
            share = tf.convert_to_tensor(self.encoder_share)
            bonus = share * bonus + (1.0 - share) * (odds + self.offset - logits)
        return tf.where(known > 0, bonus, 0.0)

    def take_from(self, other: RepeatBonus) -> None:
        """Copies the weights of a bonus whose items are the first ones of this catalogue."""
        for mine, theirs in (
            (self.own, other.own), (self.query, other.query), (self.out, other.out),
        ):  # fmt: skip
            mine.set_weights(theirs.get_weights())
        self.curves.take_from(other.curves)
        new = self.items - other.items
        self.propensity.assign(np.append(other.propensity.numpy(), np.zeros(new, np.float32)))
        self.encoder_share.assign(other.encoder_share)
        self.offset.assign(other.offset)
        self.blends = other.blends

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "items": self.items,
            "hidden": self.hidden,
            "blends": self.blends,
        }
