"""The k best items of a query: an index over the catalogue, and the user's own items beside it.

The index answers "which k + n items have the largest inner product", where n is the number of own
items. Own items are then taken out of that list and, unless they are excluded, come back with
their exact score and bonus. So with the exact index, of TFRS, the result equals a ranking of the
whole catalogue; with the approximate one (`trainer/cell_index.py`) a few items may be missing.

Nothing here is as large as the catalogue times the batch but the exact index' scores.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.catalogue import MASKED, Catalogue
from trainer.cell_index import CellIndex, Cells
from trainer.own_items import OwnItems


class TopItems(tf.Module):
    """Top-k retrieval over a fixed catalogue.

    Args:
        catalogue: its table is copied into the index.
        k: length of the lists.
        cells: a partition of the same table, for an approximate index; None for an exact one.
    """

    def __init__(self, catalogue: Catalogue, k: int, cells: Cells | None = None) -> None:
        super().__init__()
        self._k = k
        self._items = catalogue.items
        if cells is None:
            self._index = tfrs.layers.factorized_top_k.BruteForce(k=min(k, catalogue.items))
            self._index.index(catalogue.table()[1:], tf.range(1, catalogue.items + 1))
        else:
            self._index = CellIndex(cells)

    def without(self, query: tf.Tensor, seen: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items apart from seen ones.

        Args:
            query: float32 [batch, width].
            seen: int32 [batch, n] item indices that are left out (0 and unknown ones are
                ignored), or None.

        Returns:
            item index int32 [batch, k] and score float32 [batch, k], best first; index 0 where
            there are not enough items.
        """
        if seen is None:
            items, scores = self._best(query, self._k)
        else:
            items, scores = self._best_except(query, seen)
        return self._pick(items, scores)

    def with_bonus(
        self, query: tf.Tensor, catalogue: Catalogue, own: OwnItems
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items where the user's own items have a bonus; see `without`."""
        item, bonus = catalogue.own_bonus(query, own)
        vectors = catalogue.rows(item)
        scores = tf.einsum("bd,bnd->bn", query, vectors[..., :-1]) + vectors[..., -1] + bonus
        others, other_scores = self._best_except(query, item)
        return self._pick(
            tf.concat([item, others], axis=1),
            tf.concat([tf.where(item > 0, scores, MASKED), other_scores], axis=1),
        )

    def _best(self, query: tf.Tensor, k: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        extended = tf.concat([query, tf.ones([tf.shape(query)[0], 1])], axis=1)
        scores, items = self._index(extended, k=tf.minimum(k, self._items))
        return items, scores

    def _best_except(self, query: tf.Tensor, listed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The k best apart from `listed`, with these masked in place."""
        listed = tf.where(listed <= self._items, listed, 0)
        items, scores = self._best(query, self._k + tf.shape(listed)[1])
        # Where a listed item would stand among the sorted ones tells whether it is one of them.
        listed = tf.sort(listed, axis=1)
        place = tf.searchsorted(listed, items)
        found = tf.gather(tf.pad(listed, [[0, 0], [0, 1]], constant_values=-1), place, batch_dims=1)
        return items, tf.where(found == items, MASKED, scores)

    def _pick(self, items: tf.Tensor, scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best k of candidates, padded to k with item 0."""
        best, place = tf.math.top_k(scores, k=tf.minimum(self._k, tf.shape(scores)[1]))
        chosen = tf.where(best > MASKED / 2, tf.gather(items, place, batch_dims=1), 0)
        missing = [[0, 0], [0, self._k - tf.shape(best)[1]]]
        chosen = tf.ensure_shape(tf.pad(chosen, missing), [None, self._k])
        best = tf.ensure_shape(tf.pad(best, missing, constant_values=MASKED), [None, self._k])
        return chosen, best
