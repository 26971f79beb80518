"""The k best items of a query: an index over the catalogue, and the user's own items with it.

The exact index changes the scores of own items before it takes the best (`trainer/exact_index.py`).
The approximate one (`trainer/cell_index.py`) answers "which k + n items have the largest inner
product", where n is the number of own items. Own items are then taken out of that list and, unless
they are excluded, come back with their exact score and bonus; so a few items may be missing, but
no own one.

Nothing here is as large as the catalogue times the batch but the exact index' scores.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.catalogue import MASKED, Catalogue
from trainer.cell_index import CellIndex, Cells
from trainer.exact_index import ExactIndex, Query
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
        self._exact = None if cells else ExactIndex(k=min(k, catalogue.items))
        self._cells = CellIndex(cells) if cells else None
        if self._exact is not None:
            self._exact.index(catalogue.table()[1:])

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
            seen = tf.zeros([tf.shape(query)[0], 0], tf.int32)
        if self._exact is not None:
            change = tf.fill(tf.shape(seen), MASKED)
            return self._filled(*self._exact(Query(_extended(query), seen, change)))
        return self._pick(*self._best_except(query, seen))

    def with_bonus(
        self, query: tf.Tensor, catalogue: Catalogue, own: OwnItems
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items where the user's own items have a bonus; see `without`."""
        item, bonus = catalogue.own_bonus(query, own)
        if self._exact is not None:
            return self._filled(*self._exact(Query(_extended(query), item, bonus)))
        vectors = catalogue.rows(item)
        scores = tf.einsum("bd,bnd->bn", query, vectors[..., :-1]) + vectors[..., -1] + bonus
        other_scores, others = self._best_except(query, item)
        return self._pick(
            tf.concat([tf.where(item > 0, scores, MASKED), other_scores], axis=1),
            tf.concat([item, others], axis=1),
        )

    def _best_except(self, query: tf.Tensor, listed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The k best apart from `listed`, with these masked in place, of the approximate index."""
        assert self._cells is not None
        listed = tf.where(listed <= self._items, listed, 0)
        # A place for padding, so that there is something to search in.
        listed = tf.pad(listed, [[0, 0], [0, 1]])
        enough = tf.minimum(self._k + tf.shape(listed)[1], self._items)
        scores, items = self._cells(_extended(query), k=enough)
        # Where a listed item would stand among the sorted ones tells whether it is one of them.
        listed = tf.sort(listed, axis=1)
        place = tf.searchsorted(listed, items)
        found = tf.gather(tf.pad(listed, [[0, 0], [0, 1]], constant_values=-1), place, batch_dims=1)
        return tf.where(found == items, MASKED, scores), items

    def _pick(self, scores: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best k of candidates in any order."""
        best, place = tf.math.top_k(scores, k=tf.minimum(self._k, tf.shape(scores)[1]))
        return self._filled(best, tf.gather(items, place, batch_dims=1))

    def _filled(self, best: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """A list of at most k, best first, padded to k with item 0; masked items become 0 too."""
        chosen = tf.where(best > MASKED / 2, items, 0)
        missing = [[0, 0], [0, self._k - tf.shape(best)[1]]]
        chosen = tf.ensure_shape(tf.pad(chosen, missing), [None, self._k])
        best = tf.ensure_shape(tf.pad(best, missing, constant_values=MASKED), [None, self._k])
        return chosen, best


def _extended(query: tf.Tensor) -> tf.Tensor:
    """Queries with the 1 that items' biases are multiplied with."""
    return tf.pad(query, [[0, 0], [0, 1]], constant_values=1.0)
