"""The item table: items to vectors on the way in, queries to scores on the way out.

One table serves the global encoder and every specialist, so that all their queries live in one
space: retrieval is one pass over one index, however many specialists are combined.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.data.item_lists import added
from trainer.data.item_statistics import STATISTICS, ItemStatistics
from trainer.encoder.batched_product import few_rows_product
from trainer.encoder.item_biases import DemandTrend, ItemBiases
from trainer.encoder.item_neighbours import ItemNeighbours
from trainer.encoder.item_vectors import CategoryVectors, FeatureVectors, ItemVectors, embedding
from trainer.encoder.own_items import OwnItems
from trainer.encoder.repeat_bonus import RepeatBonus

MASKED = -1e9
"""Score of what must not be recommended: padding, seen items."""
_PRIOR_EVENTS = 5.0


def with_constant(query: tf.Tensor) -> tf.Tensor:
    """Queries [batch, width + 1] whose constant 1 meets the bias in `Catalogue.rows`."""
    return tf.concat([query, tf.ones([tf.shape(query)[0], 1], query.dtype)], axis=1)


def at_period(
    query: tf.Tensor, period: tf.Tensor, periods: int, asked: tf.Tensor | None = None
) -> tf.Tensor:
    """Queries [batch, width + periods + 1] that meet their period's bias in `Catalogue.rows`.

    With `asked`, float32 [batch], a further column meets the bias of asking for a target action.
    """
    parts = [query, tf.one_hot(period, periods + 1, dtype=query.dtype)]
    if asked is not None:
        parts.append(tf.cast(asked, query.dtype)[:, None])
    return tf.concat(parts, axis=1)


@keras.saving.register_keras_serializable(package="cohortrec")
class Catalogue(keras.layers.Layer):
    """Item vectors, their categories, popularity biases, and what a user's own items say.

    Args:
        items: catalogue size V; indices 1 … V are items, V + 1 is out of vocabulary.
        categories: number of category indices (0 = unknown), 0 if items have none.
        own_items: whether the user's own items get a bonus, and may raise their neighbours.
        width: dimension of the vectors.
        feature_width: dimension of what is known of the items (`trainer/data/item_features.py`), a
            linear map of which is added to the vectors; 0 where nothing is. Only in training:
            `catalogue_forms.with_features_folded_in` makes a plain table of the sums.
        features_from: coordinate of the vectors from which on features are added; those before
            learn without them.
        blends: whether the scores of own items may lean on the encoder less
            (`RepeatBonus.encoder_share`).
        periods: for how many periods of the training log item statistics are kept
            (`trainer/data/item_statistics.py`), so that the biases follow demand. With 0, scores
            are those at the end of the log (`catalogue_forms.as_of_log_end`).
        asks: whether items have a further bias that counts where a target action is asked for.
        neighbours: whether neighbours of own items are raised, see `ItemNeighbours.used`.

    Attributes:
        sharpness: weight [], what the inner products of queries and items count beside the biases:
            1 in training, then chosen (`trainer/training/sharpness.py`).
        vectors: of the items, once built.
        biases: of the items, once built.
        features: what is known of the items, once built; None without.
    """

    def __init__(
        self,
        items: int,
        categories: int,
        own_items: bool,
        width: int,
        feature_width: int = 0,
        features_from: int = 0,
        periods: int = 0,
        blends: bool = False,
        asks: bool = False,
        neighbours: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.items = items
        self.categories = categories
        self.width = width
        self.item_embedding = embedding(items + 2, width, "item")
        self.category_embedding = embedding(categories, width, "category") if categories else None
        self.repeat_bonus = (
            RepeatBonus(items, blends=blends, name="repeat_bonus") if own_items else None
        )
        self.neighbours = (
            ItemNeighbours(items, used=neighbours, name="neighbours") if own_items else None
        )
        self.periods = periods
        self.asks = asks
        self.feature_width = feature_width
        self.features_from = features_from
        self.feature_map = (
            keras.layers.Dense(
                width - features_from, use_bias=False, name="feature_map", dtype="float32"
            )
            if feature_width
            else None
        )

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights; their shapes do not depend on an input."""
        if getattr(self, "built", False):
            return
        self.item_embedding.build((None, None))
        if self.category_embedding is not None:
            self.category_embedding.build((None, None))
        if self.repeat_bonus is not None:
            self.repeat_bonus.build((None, self.width))
        if self.neighbours is not None:
            self.neighbours.build()
        # The order of the weights is that of saved encoders.
        self.features = self._build_features()
        self.item_bias = self.add_weight(
            name="item_bias", shape=(self.items + 1,), initializer="zeros"
        )
        if self.keeps_statistics:
            self.item_statistics = self.add_weight(
                name="item_statistics",
                shape=(self.periods + 1, self.items + 1, STATISTICS),
                initializer="zeros",
                trainable=False,
                autocast=False,
            )
        trend, asked = self._build_trend(), None
        if self.asks:
            asked = self.add_weight(name="asked_bias", shape=(self.items + 1,), initializer="zeros")
        self.biases = ItemBiases(self.item_bias, trend, asked)
        self.item_category = self.add_weight(
            name="item_category",
            shape=(self.items + 2,),
            initializer="zeros",
            trainable=False,
            dtype="int32",
            autocast=False,
        )
        self.sharpness = self.add_weight(
            name="sharpness", shape=(), initializer="ones", trainable=False, autocast=False
        )
        self.vectors = ItemVectors(self.item_embedding, self._added())
        self.built = True

    def _build_features(self) -> FeatureVectors | None:
        if self.feature_map is None:
            return None
        self.feature_map.build((None, self.feature_width))
        self.item_features = self.add_weight(
            name="item_features",
            shape=(self.items + 2, self.feature_width),
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        return FeatureVectors(self.item_features, self.feature_map, self.features_from)

    def _build_trend(self) -> DemandTrend | None:
        if not self.periods:
            return None
        self.period_starts = self.add_weight(
            name="period_starts",
            shape=(self.periods + 1,),
            initializer="zeros",
            trainable=False,
            dtype="int64",
            autocast=False,
        )
        # Where it is 1, the biases start at the log of the rate at which items sell of late.
        self.trend_weight = self.add_weight(name="trend_weight", shape=(), initializer="ones")
        return DemandTrend(self.item_statistics, self.period_starts, self.trend_weight)

    def _added(self) -> tuple[FeatureVectors | CategoryVectors, ...]:
        """What there is to add to an item's embedding, in the order of the sum."""
        added = [] if self.features is None else [self.features]
        if self.category_embedding is None:
            return tuple(added)
        return (*added, CategoryVectors(self.category_embedding, self.item_category))

    @property
    def keeps_statistics(self) -> bool:
        """Whether anything reads statistics of the items."""
        return self.repeat_bonus is not None or self.periods > 0

    def set_statistics(
        self, counts: np.ndarray, statistics: ItemStatistics, categories: np.ndarray | None
    ) -> None:
        """Starts the biases at log popularity and stores statistics and categories of the items.

        Args:
            counts: [items + 1] training events per item index.
            statistics: of the same events, over `periods`.
            categories: int32 [items + 2] category index per item, None if unknown.
        """
        frequency = (counts + 1.0) / (counts.sum() + len(counts))
        self.item_bias.assign(np.log(frequency) - np.log(frequency).mean())
        if self.keeps_statistics:
            self.item_statistics.assign(statistics.table)
        if self.periods:
            self.period_starts.assign(statistics.starts)
        if categories is not None:
            self.item_category.assign(categories)

    def set_asked_share(self, counts: np.ndarray, asked: np.ndarray) -> None:
        """Starts the bias of asking for a target action at what it changes in popularity.

        That is the log ratio of an item's share of the events with such an action to its share of
        all events, as if it had `_PRIOR_EVENTS` more of the former in proportion.

        Args:
            counts: [items + 1] training events per item index.
            asked: [items + 1] those with a target action.
        """
        expected = counts * (asked.sum() / max(counts.sum(), 1))
        self.biases.asked.assign(np.log((asked + _PRIOR_EVENTS) / (expected + _PRIOR_EVENTS)))

    def call(self, items: tf.Tensor, categories: tf.Tensor) -> tf.Tensor:
        """Vectors of the items of a history.

        Args:
            items: int32 [batch, length] item indices.
            categories: int32 [batch, length] what the event says; where that is 0, the
                category that the item had in training counts.

        Returns:
            [batch, length, width].
        """
        given = tf.where(categories < self.categories, categories, 0)
        return self.vectors.of(items, given)

    def rows(self, items: tf.Tensor, by_period: bool = False) -> tf.Tensor:
        """Item vectors and biases side by side.

        Args:
            items: int32 [...], 0 = padding, which gets the bias `MASKED`; up to the catalogue size.
            by_period: give the biases of all periods and of the end of the log, not only the
                latter.

        Returns:
            float32 [..., width + 1], or [..., width + periods + 1] (see `ItemBiases.of`).
        """
        vectors = self._scored(self.vectors.of(items, tf.zeros_like(items)))
        masked = tf.where(items[..., None] > 0, self.biases.of(items, by_period), MASKED)
        return tf.concat([vectors, masked], axis=-1)

    def listed_logits(
        self, query: tf.Tensor, items: tf.Tensor, less: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Scores of a few items for each query, float32 [batch, n].

        Args:
            query: float32 [batch, width].
            items: int32 [batch, n], 0 = padding, which gets `MASKED`; up to the catalogue size.
            less: float32 [items + 1], taken from the biases; None: nothing.
        """
        vectors = self._scored(self.vectors.of(items, tf.zeros_like(items)))
        scores = few_rows_product(query[:, None], vectors, transpose_b=True)[:, 0]
        biases = self.biases.of(items, by_period=False)[..., 0]
        if less is not None:
            biases -= tf.gather(less, items)
        return tf.where(items > 0, scores + biases, MASKED)

    def table(self, by_period: bool = False) -> tf.Tensor:
        """`rows` of the whole catalogue: float32 [items + 1, width + …].

        Weights are read as slices, because looking up each item would slow a training step down.
        """
        vectors = self.vectors.of_first(self.items + 1)
        biases = self.biases.of(slice(1, None), by_period)
        biases = tf.pad(biases, [[1, 0], [0, 0]], constant_values=MASKED)
        return tf.concat([self._scored(vectors), biases], axis=1)

    def _scored(self, vectors: tf.Tensor) -> tf.Tensor:
        """Item vectors as queries meet them, float32."""
        return tf.cast(vectors, tf.float32) * tf.convert_to_tensor(self.sharpness)

    def logits(self, query: tf.Tensor, own: OwnItems | None = None) -> tf.Tensor:
        """Scores of the whole catalogue.

        Args:
            query: [batch, width].
            own: the user's own items, where the model scores repeats.

        Returns:
            float32 [batch, items + 1]; index 0 is masked.
        """
        table = tf.cast(self.table(), query.dtype)
        scores = tf.cast(tf.matmul(with_constant(query), table, transpose_b=True), tf.float32)
        if own is not None and self.repeat_bonus is not None:
            scores = added(scores, *self.own_bonus(query, own))
        if own is not None and (near := self.neighbour_bonus(own)) is not None:
            scores = added(scores, *near)
        return scores

    def neighbour_bonus(self, own: OwnItems) -> tuple[tf.Tensor, tf.Tensor] | None:
        """What neighbours of own items gain, see `ItemNeighbours`; None where nothing does."""
        if self.neighbours is None or not self.neighbours.used:
            return None
        return self.neighbours(own)

    def own_bonus(
        self,
        query: tf.Tensor,
        own: OwnItems,
        period: tf.Tensor | None = None,
        asked: tf.Tensor | None = None,
        less: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The bonus of the user's own items.

        Args:
            query: [batch, width].
            own: the user's own items.
            period: int32 [batch], see `DemandTrend.period_of`; None: after the end of the log.
            asked: float32 [batch] with a period, where the catalogue asks; see `LabelledQueries`.
            less: without a period, see `listed_logits`.

        Returns:
            Item index (0 where there is none in the catalogue) and bonus, [batch, length] each.
        """
        item = tf.where(own.item <= self.items, own.item, 0)
        if self.repeat_bonus is None:
            return item, tf.zeros(tf.shape(item))
        logits = None
        if self.repeat_bonus.blends:
            logits = self._own_logits(query, item, period, asked, less)
        return item, self.repeat_bonus(query, own, self.own_statistics(item, period), logits)

    def own_statistics(self, item: tf.Tensor, period: tf.Tensor | None) -> tf.Tensor:
        """float32 [batch, length, STATISTICS] of items int32 [batch, length], see `own_bonus`."""
        statistics = tf.convert_to_tensor(self.item_statistics)
        if period is None:
            # Not `statistics[-1]`, which would be copied for every request.
            flat = tf.reshape(statistics, [-1, STATISTICS])
            return tf.gather(flat, item + self.periods * (self.items + 1))
        when = tf.broadcast_to(period[:, None], tf.shape(item))
        return tf.gather_nd(statistics, tf.stack([when, item], axis=-1))

    def _own_logits(
        self,
        query: tf.Tensor,
        item: tf.Tensor,
        period: tf.Tensor | None,
        asked: tf.Tensor | None,
        less: tf.Tensor | None,
    ) -> tf.Tensor:
        """Scores without a bonus, float32 [batch, length]; see `own_bonus`."""
        query = tf.cast(query, tf.float32)
        if period is None:
            return self.listed_logits(query, item, less)
        rows = self.rows(item, by_period=True)
        extended = at_period(query, period, self.periods, asked)
        return tf.einsum("bd,bnd->bn", extended, rows)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "items": self.items,
            "categories": self.categories,
            "own_items": self.repeat_bonus is not None,
            "width": self.width,
            "feature_width": self.feature_width,
            "features_from": self.features_from,
            "periods": self.periods,
            "blends": self.repeat_bonus is not None and self.repeat_bonus.blends,
            "asks": self.asks,
            "neighbours": self.neighbours is not None and self.neighbours.used,
        }
