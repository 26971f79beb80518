"""What is known of the own items of a split's users, summarised once for a fit of many steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import padded_length
from trainer.data.histories import Histories
from trainer.data.windows import window
from trainer.encoder.own_items import FEATURE_NAMES, OwnItems, summarise
from trainer.graphs import graph_of_any_rows

_USERS_AT_ONCE = 256


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
        for own in _summaries(histories, own_events):
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


def _summaries(histories: Histories, own_events: int) -> Iterator[OwnItems]:
    item = tf.constant(histories.columns[features.ITEM])
    time = tf.constant(histories.columns[features.TIME])

    def read(starts: tf.Tensor, ends: tf.Tensor, length: tf.Tensor) -> OwnItems:
        return summarise(window(item, starts, ends, length), window(time, starts, ends, length))

    graph = graph_of_any_rows(read)
    lengths = padded_length(histories.lengths, own_events)
    for begin in range(0, len(histories), _USERS_AT_ONCE):
        users = slice(begin, begin + _USERS_AT_ONCE)
        yield graph(
            tf.constant(histories.splits[:-1][users], tf.int32),
            tf.constant(histories.splits[1:][users], tf.int32),
            tf.constant(lengths[users].max(), tf.int32),
        )
