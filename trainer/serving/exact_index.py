"""The exact index: scores every item, adds a request's changes, and takes the k best."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf
import tensorflow_recommenders as tfrs


class Query(NamedTuple):
    """What a request asks the exact index for."""

    vector: tf.Tensor
    """float32 [batch, width + 1], the last column 1."""
    item: tf.Tensor
    """int32 [batch, n], items whose scores are changed; 0 and unknown ones are ignored."""
    change: tf.Tensor
    """float32 [batch, n], added to the score of the item in the same place."""
    less: tf.Tensor | None = None
    """float32 [items], taken from the scores of all items; None: nothing."""


class ExactIndex(tfrs.layers.factorized_top_k.TopK):  # type: ignore[misc]
    """A brute-force layer of TFRS for requests that raise or lower the scores of some items.

    TFRS' own `BruteForce` knows no such items. It also keeps the table row by row, with which
    TensorFlow's product with the queries takes about half as long again as with columns.
    """

    def index(self, candidates: tf.Tensor, identifiers: tf.Tensor | None = None) -> ExactIndex:
        """Stores a catalogue.

        Args:
            candidates: float32 [items, width + 1], vectors and biases of the items 1, 2, ….
            identifiers: TFRS passes them; items have none but their place.

        Raises:
            ValueError: identifiers were given.
        """
        if identifiers is not None:
            raise ValueError("the items of this index are 1, 2, …; give no identifiers")
        columns = tf.transpose(candidates)
        self._columns = self.add_weight(
            name="columns", shape=columns.shape, initializer="zeros", trainable=False
        )
        self._columns.assign(columns)
        return self

    def call(self, queries: Query, k: int | tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items, exactly.

        Args:
            queries: of a batch.
            k: how many, at most as many as there are items; None: as the constructor was told.

        Returns:
            Scores float32 [batch, k] and items int32 [batch, k], best first.
        """
        scores = tf.matmul(queries.vector, self._columns)
        if queries.less is not None:
            scores -= queries.less
        item = queries.item
        known = tf.logical_and(item > 0, item <= tf.shape(scores)[1])
        row = tf.broadcast_to(tf.range(tf.shape(item)[0])[:, None], tf.shape(item))
        place = tf.stack([row, tf.where(known, item - 1, 0)], axis=-1)
        # Nobody else holds the scores, so TensorFlow can change them in place.
        changed = tf.tensor_scatter_nd_add(scores, place, tf.where(known, queries.change, 0.0))
        best, at = tf.math.top_k(changed, self._k if k is None else k)
        return best, at + 1

    def is_exact(self) -> bool:
        """Whether the lists are those of a full ranking."""
        return True
