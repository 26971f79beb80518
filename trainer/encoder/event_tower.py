"""The transformer over events: the part of the encoder that a specialist fine-tunes.

BERT's own form (Devlin et al. 2019): token embeddings summed, layer-normalised, then
post-LayerNorm transformer blocks. An event is a token; its embedding is the
sum of the item's vector, position (counted from the newest event), action, time and price parts.
The state above the newest event is the query.
"""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import ASKED
from trainer.encoder.dropout import ByteDropout
from trainer.encoder.item_vectors import INIT_STDDEV, embedding
from trainer.encoder.transformer_block import TransformerBlock

PRICE_RATE = 0.5
"""Share of training samples that keep their prices, because requests often have none."""


@keras.saving.register_keras_serializable(package="cohortrec")
class EventTower(keras.layers.Layer):
    """Encodes event windows whose items are given as vectors.

    Args:
        actions: number of action indices, 0 if all events are of one kind.
        use_time: whether timestamps mean time (not just order).
        use_price: whether events carry prices or quantities.
        asks: whether the tower is told if a target action is asked for (`ASKED`). A vector beside
            the newest event says so, so that all of the tower can depend on it.
        width, layers, heads, feedforward, dropout, max_events: see `EncoderConfig`.
    """

    def __init__(
        self,
        *,
        actions: int,
        use_time: bool,
        use_price: bool,
        width: int,
        layers: int,
        heads: int,
        feedforward: int,
        dropout: float,
        max_events: int,
        asks: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "actions": actions,
            "use_time": use_time,
            "use_price": use_price,
            "width": width,
            "layers": layers,
            "heads": heads,
            "feedforward": feedforward,
            "dropout": dropout,
            "max_events": max_events,
            "asks": asks,
        }
        self.actions = actions
        self.max_events = max_events
        self.width = width
        self.event_embeddings: dict[str, keras.layers.Embedding] = {}
        if actions:
            self.event_embeddings[features.ACTION] = embedding(actions, width, "action")
        if use_time:
            self.event_embeddings[features.GAP] = embedding(features.GAP_BUCKETS, width, "gap")
            self.event_embeddings[features.HOUR] = embedding(features.HOURS, width, "hour")
            self.event_embeddings[features.WEEKDAY] = embedding(features.WEEKDAYS, width, "weekday")
        self.price_projection = (
            keras.layers.Dense(width, use_bias=False, name="price") if use_price else None
        )
        initializer = keras.initializers.TruncatedNormal(stddev=INIT_STDDEV)
        self.position = keras_hub.layers.PositionEmbedding(
            max_events, initializer=initializer, name="position"
        )
        self.asked = embedding(1, width, "asked") if asks else None
        self.norm = keras.layers.LayerNormalization(epsilon=1e-12, name="embeddings_norm")
        self.dropout = ByteDropout(dropout)
        self.blocks = [
            TransformerBlock(width, heads, feedforward, dropout, INIT_STDDEV, name=f"block_{i}")
            for i in range(layers)
        ]

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights; their shapes do not depend on an input."""
        if getattr(self, "built", False):
            return
        for layer in self.event_embeddings.values():
            layer.build((None, None))
        if self.price_projection is not None:
            self.price_projection.build((None, None, 2))
        self.position.build((None, self.max_events, self.width))
        if self.asked is not None:
            self.asked.build((None,))
        self.norm.build((None, None, self.width))
        for block in self.blocks:
            block.build()
        self.built = True

    def call(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Query vectors.

        Args:
            events: `trainer.data.features` event columns [batch, length], newest first, item 0 =
                padding; `length` may be anything up to `max_events`. `ASKED` may be among them.
            item_vectors: [batch, length, width].
            training: whether dropout applies.

        Returns:
            [batch, width]. A user without events gets a query too.
        """
        x, visible = self._below_last(events, item_vectors, training)
        return self.blocks[-1].newest(x, visible, training=training)

    def states(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """States of all positions, [batch, length, width]; at position 0 what `call` gives.

        Args:
            events: as for `call`.
            item_vectors: [batch, length, width].
            training: whether dropout applies.
        """
        x, visible = self._below_last(events, item_vectors, training)
        return self.blocks[-1](x, visible, training=training)

    def _below_last(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What the last block reads: [batch, length, width], and which places are visible."""
        # `call` gets them cast by Keras, `states` does not.
        x = tf.cast(item_vectors, self.compute_dtype)
        for name, layer in self.event_embeddings.items():
            index = tf.cast(events[name], tf.int32)
            # An unknown action counts as the most frequent one, index 1.
            x += layer(tf.where((index >= 0) & (index < layer.input_dim), index, 1))
        if self.price_projection is not None:
            amounts = tf.stack([events[features.PRICE], events[features.QUANTITY]], axis=-1)
            if training:
                keep = tf.random.uniform([tf.shape(amounts)[0], 1, 1]) < PRICE_RATE
                amounts = tf.where(keep, amounts, 0.0)
            x += self.price_projection(amounts)
        x += self.position(x)
        if self.asked is not None:
            at_newest = tf.one_hot(tf.zeros([1], tf.int32), tf.shape(x)[1], dtype=x.dtype)
            asked = events.get(ASKED, tf.ones([1]))
            at_newest *= tf.cast(asked, x.dtype)[:, None]
            x += at_newest[:, :, None] * self.asked(tf.zeros([1, 1], tf.int32))
        x = self.dropout(self.norm(x), training=training)
        present = events[features.ITEM] > 0
        # The newest place is visible even when empty, so that attention always has something.
        visible = present | (tf.range(tf.shape(present)[1]) == 0)[None, :]
        for block in self.blocks[:-1]:
            x = block(x, visible, training=training)
        return x, visible

    @property
    def served_positions(self) -> tf.Tensor:
        """The vectors of the places [max_events, width] where a target action is asked for."""
        table = tf.convert_to_tensor(self.position.position_embeddings)
        if self.asked is None:
            return table
        return tf.tensor_scatter_nd_add(table, [[0]], tf.convert_to_tensor(self.asked.embeddings))

    def enable_lora(self, rank: int) -> None:
        """Freezes the tower and adds low-rank changes (Hu et al. 2021) to its dense kernels."""
        for layer in self._flatten_layers(include_self=False):
            layer.trainable = False
        for block in self.blocks:
            for layer in block._flatten_layers(include_self=False):
                if hasattr(layer, "enable_lora"):
                    layer.trainable = True
                    layer.enable_lora(rank)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), **self._arguments}
