"""The vector of an item: its own embedding, and what its features and its category add.

These are views of weights that `Catalogue` owns, whose places there are those of saved encoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

INIT_STDDEV = 0.02


def embedding(size: int, width: int, name: str) -> keras.layers.Embedding:
    """An embedding table initialised as BERT's are."""
    return keras.layers.Embedding(
        size,
        width,
        embeddings_initializer=keras.initializers.TruncatedNormal(stddev=INIT_STDDEV),
        name=name,
    )


@dataclass(frozen=True)
class FeatureVectors:
    """What is known of the items (`trainer/data/item_features.py`), mapped among their vectors.

    Attributes:
        known: weight float32 [items + 2, feature width].
        linear_map: dense layer from there to [width - first].
        first: coordinate of the vectors from which on features are added.
    """

    known: Any
    linear_map: keras.layers.Dense
    first: int

    def mapped(self, features: tf.Tensor) -> tf.Tensor:
        """What features [..., feature width] add to item vectors: [..., width]."""
        mapped = self.linear_map(features)
        unchanged = [[0, 0]] * (len(mapped.shape) - 1)
        return tf.pad(mapped, [*unchanged, [self.first, 0]])

    def of(self, items: tf.Tensor, categories: tf.Tensor) -> tf.Tensor:
        """What they add to items int32 [...]: float32 [..., width]."""
        del categories
        return self.mapped(tf.gather(tf.convert_to_tensor(self.known), items))

    def of_first(self, count: int) -> tf.Tensor:
        """What they add to items 0 … count - 1: float32 [count, width]."""
        return self.mapped(tf.convert_to_tensor(self.known)[:count])


@dataclass(frozen=True)
class CategoryVectors:
    """What an item's category adds to its vector.

    Attributes:
        embedding: of the categories.
        of_item: weight int32 [items + 2], each item's category in training; 0 = unknown.
    """

    embedding: keras.layers.Embedding
    of_item: Any

    def of(self, items: tf.Tensor, categories: tf.Tensor) -> tf.Tensor:
        """[..., width] of items and categories int32 [...]; 0 stands for the one in training."""
        in_training = tf.gather(tf.convert_to_tensor(self.of_item), items)
        return self.embedding(tf.where(categories > 0, categories, in_training))

    def of_first(self, count: int) -> tf.Tensor:
        """float32 [count, width], the categories that items 0 … count - 1 had in training."""
        return tf.gather(
            tf.convert_to_tensor(self.embedding.embeddings),
            tf.convert_to_tensor(self.of_item)[:count],
        )


@dataclass(frozen=True)
class ItemVectors:
    """Sums of an item's embedding and all that is added to it.

    Attributes:
        embedding: of items + 2 indices: padding, the items, out of vocabulary.
        added: which parts there are.
    """

    embedding: keras.layers.Embedding
    added: tuple[FeatureVectors | CategoryVectors, ...]

    def of(self, items: tf.Tensor, categories: tf.Tensor) -> tf.Tensor:
        """Vectors [..., width].

        Args:
            items: int32 [...].
            categories: int32 [...]; 0 stands for the category that the item had in training.
        """
        vectors = self.embedding(items)
        for part in self.added:
            vectors += tf.cast(part.of(items, categories), vectors.dtype)
        return vectors

    def of_first(self, count: int) -> tf.Tensor:
        """float32 [count, width] of items 0 … count - 1, read as slices instead of looked up."""
        vectors = tf.convert_to_tensor(self.embedding.embeddings)[:count]
        for part in self.added:
            vectors += part.of_first(count)
        return vectors
