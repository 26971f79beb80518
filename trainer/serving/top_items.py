"""The k best items of a query: an index over the catalogue, and the items that a request changes.

Own items have a bonus or are left out; items that follow what the user took are raised. The exact
index changes the scores of such items before it takes the best (`trainer/serving/exact_index.py`).
The approximate one (`trainer/serving/cell_index.py`) gives the k + n items with the largest inner
products, where n is the number of the user's own items, whatever the others of the batch have.
Changed items are then taken out of that list and, unless they are to be left out, added again with
their exact score and bonus. So a few items may be missing from a list, but never a changed one.
Raised items do not count in n: an item that is not among the k best before others are raised is not
among them afterwards.

Only the exact index' scores are as large as the catalogue times the batch.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.data.item_lists import among, summed
from trainer.encoder.catalogue import MASKED, Catalogue
from trainer.encoder.own_items import OwnItems
from trainer.serving.cell_index import CellIndex, Cells
from trainer.serving.exact_index import ExactIndex, Query

Raised = tuple[tf.Tensor, tf.Tensor]
"""Item int32 [batch, m] and bonus float32 [batch, m] of at least 0, see `TransitionBonus`."""


class TopItems(tf.Module):
    """Top-k retrieval over a fixed catalogue.

    Args:
        catalogue: its table is copied into the index.
        k: length of the lists.
        cells: a partition of the same table, for an approximate index; None for an exact one.
        asked: float32 [items + 1], what the catalogue's biases have more than those of asking for
            any event, so that the index answers for both; None where nobody may ask for that.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        k: int,
        cells: Cells | None = None,
        asked: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self._k = k
        self._items = catalogue.items
        self._catalogue = catalogue
        self._exact = None if cells else ExactIndex(k=min(k, catalogue.items))
        self._asked = None if asked is None else tf.Variable(asked, trainable=False)
        self._cells = CellIndex(cells, self._asked) if cells else None
        if self._exact is not None:
            self._exact.index(catalogue.table()[1:])

    def without(
        self,
        query: tf.Tensor,
        seen: tf.Tensor | None,
        raised: Raised | None = None,
        any_event: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items apart from seen ones.

        Args:
            query: float32 [batch, width].
            seen: int32 [batch, n] item indices that are left out (0 and unknown ones are
                ignored), or None.
            raised: items whose scores are raised, or None.
            any_event: score items as where any event is asked for.

        Returns:
            item index int32 [batch, k] and score float32 [batch, k], best first; index 0 where
            there are not enough items.
        """
        if seen is None:
            seen = tf.zeros([tf.shape(query)[0], 0], tf.int32)
        if self._cells is not None and raised is None:
            listed = tf.sort(tf.where(seen <= self._items, seen, 0), axis=1)
            scores, items = self._best_except(query, listed, _places_used(seen), any_event)
            return self._pick(scores, items)
        return self._changed(query, seen, tf.fill(tf.shape(seen), MASKED), raised, any_event)

    def with_bonus(
        self,
        query: tf.Tensor,
        own: OwnItems,
        raised: Raised | None = None,
        any_event: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items where the user's own items have a bonus; see `without`."""
        less = self._asked if any_event else None
        item, bonus = self._catalogue.own_bonus(query, own, less=less)
        return self._changed(query, item, bonus, raised, any_event)

    def only(
        self,
        query: tf.Tensor,
        listed: tf.Tensor,
        own: OwnItems | None,
        raised: Raised | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best of a few items, with the scores that they have among all.

        Only these are scored, whichever index there is.

        Args:
            query: float32 [batch, width].
            listed: int32 [batch, n] item indices, in any order and as often as they like (0 and
                unknown ones are ignored).
            own: the user's own items, which have a bonus; None without.
            raised: items whose scores are raised, or None.

        Returns:
            As for `without`; index 0 where there are not so many items.
        """
        listed = tf.sort(tf.where(listed <= self._items, listed, 0), axis=1)
        changed = [(listed, tf.zeros(tf.shape(listed)))]
        if own is not None:
            changed.append(self._catalogue.own_bonus(query, own))
        if raised is not None:
            changed.append(raised)
        item, change = (tf.concat(parts, axis=1) for parts in zip(*changed, strict=True))
        _, item, change = summed(item, change)
        scores = self._catalogue.listed_logits(query, item) + change
        return self._pick(tf.where(among(item, listed), scores, MASKED), item)

    def _changed(
        self,
        query: tf.Tensor,
        item: tf.Tensor,
        change: tf.Tensor,
        raised: Raised | None,
        any_event: bool,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items where own items [batch, n] have changed scores, and some are raised."""
        room = _places_used(item)
        if raised is not None:
            item = tf.concat([item, raised[0]], axis=1)
            change = tf.concat([change, raised[1]], axis=1)
        less = self._asked if any_event else None
        if self._exact is not None:
            of_index = None if less is None else less[1:]
            best, items = self._exact(Query(_extended(query), item, change, of_index))
            return self._filled(best, items)
        listed, item, change = summed(tf.where(item <= self._items, item, 0), change)
        scores = self._catalogue.listed_logits(query, item, less) + change
        others_scores, others = self._best_except(query, listed, room, any_event)
        return self._pick(
            tf.concat([scores, others_scores], axis=1), tf.concat([item, others], axis=1)
        )

    def _best_except(
        self, query: tf.Tensor, listed: tf.Tensor, room: tf.Tensor, any_event: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The k + room best items of the approximate index; the score of listed ones is `MASKED`.

        Args:
            query: as for `without`.
            listed: int32 [batch, n], rising, from 0 to the number of items.
            room: int32 [batch], how many items each list must be longer by, since as many may be
                masked.
            any_event: as for `without`.
        """
        assert self._cells is not None
        enough = tf.minimum(self._k + room + 1, self._items)
        scores, items = self._cells(_extended(query), enough, any_event)
        return tf.where(among(items, listed), MASKED, scores), items

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


def _places_used(item: tf.Tensor) -> tf.Tensor:
    """How many items each row has, int32 [batch]: padding depends on who else is in the batch."""
    return tf.math.count_nonzero(item, axis=1, dtype=tf.int32)
