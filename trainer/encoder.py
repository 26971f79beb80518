"""The BERT-style encoder: a user's latest events in, one query vector out.

BERT's own form (Devlin et al. 2019): token embeddings summed, layer-normalised, then
post-LayerNorm transformer blocks, here from keras-nlp. An event is a token; its embedding is the
sum of item, position (counted from the newest event), action, category, time and price parts. The
state above the newest event is the query; its inner product with the item table gives the logits.
"""

from __future__ import annotations

from typing import Any

import keras
import keras_nlp
import numpy as np
import tensorflow as tf

from trainer import features
from trainer.own_items import OwnItems, RepeatBonus

_INIT = 0.02
MASKED = -1e9
"""Logit of what must not be recommended: padding, seen items."""
UNKNOWN_ITEM_RATE = 0.01
"""Share of input items replaced by the out-of-vocabulary item in training, so that it means
something when a new item turns up."""


def _embedding(size: int, width: int, name: str) -> keras.layers.Embedding:
    return keras.layers.Embedding(
        size, width, embeddings_initializer=keras.initializers.TruncatedNormal(stddev=_INIT), name=name
    )


@keras.saving.register_keras_serializable(package="cohortrec")
class BehaviorEncoder(keras.Model):
    """Encodes event windows and scores the catalogue.

    Args:
        items: catalogue size V; indices 1 … V are items, above them out of vocabulary.
        item_oov: number of out-of-vocabulary buckets.
        actions: number of action indices, 0 if all events are of one kind.
        categories: number of category indices, 0 if unknown.
        use_time: whether timestamps mean time (not just order).
        use_price: whether events carry prices or quantities.
        own_items: whether the user's own items get a bonus.
        width, layers, heads, feedforward, dropout, max_events: see `EncoderConfig`.
    """

    def __init__(
        self,
        items: int,
        item_oov: int,
        actions: int,
        categories: int,
        use_time: bool,
        use_price: bool,
        own_items: bool,
        width: int,
        layers: int,
        heads: int,
        feedforward: int,
        dropout: float,
        max_events: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sizes: dict[str, Any] = {
            "items": items,
            "item_oov": item_oov,
            "actions": actions,
            "categories": categories,
            "use_time": use_time,
            "use_price": use_price,
            "own_items": own_items,
            "width": width,
            "layers": layers,
            "heads": heads,
            "feedforward": feedforward,
            "dropout": dropout,
            "max_events": max_events,
        }
        self.items = items
        self.width = width
        self.max_events = max_events
        self.item_embedding = _embedding(items + 1 + item_oov, width, "item")
        self.event_embeddings: dict[str, keras.layers.Embedding] = {}
        if actions:
            self.event_embeddings[features.ACTION] = _embedding(actions, width, "action")
        if use_time:
            self.event_embeddings[features.GAP] = _embedding(features.GAP_BUCKETS, width, "gap")
            self.event_embeddings[features.HOUR] = _embedding(features.HOURS, width, "hour")
            self.event_embeddings[features.WEEKDAY] = _embedding(features.WEEKDAYS, width, "weekday")
        self.category_embedding = _embedding(categories, width, "category") if categories else None
        self.price_projection = (
            keras.layers.Dense(width, use_bias=False, name="price") if use_price else None
        )
        self.position = keras_nlp.layers.PositionEmbedding(
            max_events, initializer=keras.initializers.TruncatedNormal(stddev=_INIT), name="position"
        )
        self.norm = keras.layers.LayerNormalization(epsilon=1e-12, name="embeddings_norm")
        self.dropout = keras.layers.Dropout(dropout)
        self.blocks = [
            keras_nlp.layers.TransformerEncoder(
                intermediate_dim=feedforward,
                num_heads=heads,
                dropout=dropout,
                activation="gelu",
                layer_norm_epsilon=1e-12,
                kernel_initializer=keras.initializers.TruncatedNormal(stddev=_INIT),
                name=f"block_{i}",
            )
            for i in range(layers)
        ]
        self.repeat_bonus = RepeatBonus(items, name="repeat_bonus") if own_items else None

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights; shapes do not depend on the input."""
        if self.built:
            return
        sequence = (None, None, self.width)
        for layer in (self.item_embedding, self.category_embedding, *self.event_embeddings.values()):
            if layer is not None:
                layer.build((None, None))
        if self.price_projection is not None:
            self.price_projection.build((None, None, 2))
        self.position.build((None, self.max_events, self.width))
        self.norm.build(sequence)
        for block in self.blocks:
            block.build(sequence)
        if self.repeat_bonus is not None:
            self.repeat_bonus.build((None, self.width))
        self.item_bias = self.add_weight(name="item_bias", shape=(self.items + 1,), initializer="zeros")
        self.item_category = self.add_weight(
            name="item_category",
            shape=(self.items + 1 + self.sizes["item_oov"],),
            initializer="zeros",
            trainable=False,
            dtype="int32",
            autocast=False,
        )
        self.built = True

    def set_item_statistics(self, counts: np.ndarray, categories: np.ndarray | None) -> None:
        """Starts the item bias at log popularity and notes each item's category.

        Args:
            counts: [items + 1] training events per item index.
            categories: int32 [items + 1 + item_oov] category index per item, None if unknown.
        """
        frequency = (counts + 1.0) / (counts.sum() + len(counts))
        self.item_bias.assign(np.log(frequency) - np.log(frequency).mean())
        if categories is not None:
            self.item_category.assign(categories)

    def call(self, events: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Query vectors.

        Args:
            events: `trainer.features` event columns, [batch, length] each, newest first, item 0
                = padding. `length` may be anything up to `max_events`.
            training: whether dropout applies.

        Returns:
            [batch, width]. A user without events gets a query too.
        """
        items = events[features.ITEM]
        present = items > 0
        if training:
            unknown = tf.random.uniform(tf.shape(items)) < UNKNOWN_ITEM_RATE
            items = tf.where(unknown & present, self.items + 1, items)
        x = self.item_embedding(items)
        for name, layer in self.event_embeddings.items():
            x += layer(tf.minimum(tf.cast(events[name], tf.int32), layer.input_dim - 1))
        if self.category_embedding is not None:
            given = tf.cast(events[features.CATEGORY], tf.int32)
            known = tf.gather(tf.convert_to_tensor(self.item_category), items)
            x += self.category_embedding(tf.where(given > 0, given, known))
        if self.price_projection is not None:
            amounts = tf.stack([events[features.PRICE], events[features.QUANTITY]], axis=-1)
            if training:
                # Requests often come without prices; half of the training samples do, too.
                keep = tf.random.uniform([tf.shape(items)[0], 1, 1]) < 0.5
                amounts = tf.where(keep, amounts, 0.0)
            x += self.price_projection(amounts)
        x += self.position(x)
        x = self.dropout(self.norm(x), training=training)
        # The newest place is visible even when empty, so that attention always has something.
        visible = present | (tf.range(tf.shape(items)[1]) == 0)[None, :]
        for block in self.blocks:
            x = block(x, padding_mask=visible, training=training)
        return x[:, 0, :]

    def item_table(self) -> tf.Tensor:
        """Item vectors and biases side by side: [items + 1, width + 1], row 0 = padding."""
        table = tf.convert_to_tensor(self.item_embedding.embeddings)[: self.items + 1]
        if self.category_embedding is not None:
            table += tf.gather(
                tf.convert_to_tensor(self.category_embedding.embeddings),
                tf.convert_to_tensor(self.item_category)[: self.items + 1],
            )
        return tf.concat([table, tf.convert_to_tensor(self.item_bias)[:, None]], axis=1)

    def logits(self, query: tf.Tensor, own: OwnItems | None = None) -> tf.Tensor:
        """Scores of the whole catalogue.

        Args:
            query: [batch, width].
            own: the user's own items, where the model scores repeats.

        Returns:
            float32 [batch, items + 1]; index 0 is masked.
        """
        table = tf.cast(self.item_table(), query.dtype)
        scores = tf.cast(tf.matmul(query, table[:, :-1], transpose_b=True) + table[:, -1], tf.float32)
        scores += MASKED * tf.one_hot(0, self.items + 1)
        if own is not None and self.repeat_bonus is not None:
            item, bonus = self.own_bonus(query, own)
            rows = tf.broadcast_to(tf.range(tf.shape(item)[0])[:, None], tf.shape(item))
            scores = tf.tensor_scatter_nd_add(scores, tf.stack([rows, item], axis=-1), bonus)
        return scores

    def own_bonus(self, query: tf.Tensor, own: OwnItems) -> tuple[tf.Tensor, tf.Tensor]:
        """Item indices (0 where none or unknown) and their bonus, [batch, length] each."""
        assert self.repeat_bonus is not None
        item = tf.where(own.item <= self.items, own.item, 0)
        return item, self.repeat_bonus(query, own)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"name": self.name, **self.sizes}
