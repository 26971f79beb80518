"""What is known of the own items of a split's users, summarised once for a fit of many steps."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.data.histories import Histories
from trainer.encoder.own_batches import own_batches
from trainer.encoder.own_items import FEATURE_NAMES, OwnItems


class OwnSummaries:
    """`OwnItems` of every user, without the places that are empty.

    Args:
        histories: of the users.
        own_events: window of the user's own items, at least 1.

    Attributes:
        signature: of what `of` returns, for a graph.
    """

    signature = OwnItems(
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, None, len(FEATURE_NAMES)], tf.float32),
    )

    def __init__(self, histories: Histories, own_events: int) -> None:
        counts, items, known = [], [], []
        splits = histories.splits
        for _, own in own_batches(histories, splits[:-1], splits[1:], own_events):
            item = own.item.numpy()
            counts.append(np.count_nonzero(item, axis=1))
            items.append(item[item > 0])
            known.append(own.features.numpy()[item > 0])
        self._splits = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
        self._items, self._features = np.concatenate(items), np.concatenate(known)

    def of(self, users: np.ndarray) -> OwnItems:
        """Those of some users.

        Args:
            users: int64 [n].
        """
        counts = np.diff(self._splits)[users]
        inside = np.arange(max(int(counts.max(initial=0)), 1)) < counts[:, None]
        place = (self._splits[users][:, None] + np.cumsum(inside, axis=1) - 1)[inside]
        item = np.zeros(inside.shape, np.int32)
        known = np.zeros((*inside.shape, self._features.shape[1]), np.float32)
        item[inside], known[inside] = self._items[place], self._features[place]
        return OwnItems(tf.constant(item), tf.constant(known))
