"""All specialists of a mixture as one computation, each for the users who give it a weight.

With the weights w of a mixture and what specialist k changes in member m of the global encoder,

    H_c = H_0 + sum_k w_k (H_k - H_0),    (H_k - H_0)_m = (q_km - q_m) / M,

and only pairs of a user and a specialist with w_k > 0 are computed. They stand one after the other,
specialist by specialist, so that a request calls as many operations for two pairs as for a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.encoder.event_tower import EventTower
from trainer.inference.member_rows import RoutedRows
from trainer.inference.served_encoder import ITEM_PARTS
from trainer.inference.stacked_towers import StackedTowers


class RoutedSpecialists(tf.Module):
    """The towers that K specialists have of their own, laid out for answering.

    Args:
        own: for each of K clusters, the towers of its specialist that are not the global encoder's,
            by their places among the members. At least one cluster has one.
    """

    def __init__(self, own: Sequence[Mapping[int, EventTower]]) -> None:
        super().__init__()
        towers = [(k, m, tower) for k, mine in enumerate(own) for m, tower in mine.items()]
        self._cluster = np.array([k for k, _, _ in towers], np.int32)
        self._place = np.array([m for _, m, _ in towers], np.int32)
        self._towers = StackedTowers([tower for _, _, tower in towers])

    def combined(
        self, query: tf.Tensor, weights: tf.Tensor, events: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        """H_c, float32 [batch, width].

        Args:
            query: H_0, float32 [batch, width].
            weights: float32 [batch, K], those of the specialists.
            events: as `ServedEncoder.looked_up` gives them.
        """
        weights = tf.gather(tf.transpose(weights), self._cluster)
        pairs = tf.where(weights > 0)
        tower, user = tf.unstack(tf.cast(pairs, tf.int32), axis=1)
        part = tf.stack([tf.gather(self._place, tower), user], axis=1)
        vectors = tf.gather_nd(events[ITEM_PARTS], part)
        theirs = {
            name: tf.gather(events[name], user)
            for name in features.EVENT_FEATURES
            if name in events
        }
        routed = RoutedRows(tower, len(self._cluster))
        answers = tf.squeeze(self._towers(theirs, tf.expand_dims(vectors, 0), routed), 0)
        members = events[ITEM_PARTS].shape[0]
        parts = tf.reshape(query, [-1, members, query.shape[1] // members])
        where = tf.reverse(part, [1])
        change = answers / members - tf.gather_nd(parts, where)
        change *= tf.expand_dims(tf.gather_nd(weights, pairs), 1)
        return tf.reshape(tf.tensor_scatter_nd_add(parts, where, change), [-1, query.shape[1]])
