"""All specialists of a mixture as one computation, each for the users who give it a weight.

With the weights w of a mixture and what specialist k changes in member m of the global encoder,

    H_c = H_0 + sum_k w_k (H_k - H_0),    (H_k - H_0)_m = (q_km - q_m) / M,

and only pairs of a user and a specialist with w_k > 0 are computed. The rows of these pairs stand
one after the other, specialist by specialist, so that a request calls as many operations for two
pairs as for a hundred.

Shapes: K clusters; M members of the encoder; T towers that specialists have of their own, which are
at most K * M; P pairs of a tower and a user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import ASKED
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
        # T towers, cluster by cluster: int32 [T] each.
        self._cluster_of_tower = np.array([k for k, _, _ in towers], np.int32)
        self._member_of_tower = np.array([m for _, m, _ in towers], np.int32)
        self._towers = StackedTowers([tower for _, _, tower in towers])

    def combined(
        self, query: tf.Tensor, weights: tf.Tensor, events: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        """H_c, float32 [batch, width].

        Args:
            query: H_0, float32 [batch, width].
            weights: float32 [batch, K], those of the specialists.
            events: as `ServedEncoder.looked_up` gives them; `ASKED` may be among them.
        """
        members, width = events[ITEM_PARTS].shape[0], query.shape[1]
        # [T, batch]: what each tower counts for each user. A pair is a tower and a user who gives
        # it a weight; P of them, tower by tower.
        tower_weights = tf.gather(tf.transpose(weights), self._cluster_of_tower)
        pairs = tf.where(tower_weights > 0)  # int64 [P, 2]
        tower, user = tf.unstack(tf.cast(pairs, tf.int32), axis=1)  # [P] each
        member = tf.gather(self._member_of_tower, tower)  # [P]
        member_and_user = tf.stack([member, user], axis=1)  # [P, 2]

        # The pairs' events [P, length] and their items' vectors [P, length, width / members].
        events_of_pairs = {
            name: tf.gather(events[name], user)
            for name in (*features.EVENT_COLUMNS, ASKED)
            if name in events
        }
        vectors_of_pairs = tf.gather_nd(events[ITEM_PARTS], member_and_user)
        rows = RoutedRows(tower, len(self._cluster_of_tower))
        answers = self._towers(events_of_pairs, tf.expand_dims(vectors_of_pairs, 0), rows)
        answers = tf.squeeze(answers, 0)  # q_km, [P, width / members]

        parts = tf.reshape(query, [-1, members, width // members])  # (H_0)_m = q_m / M
        user_and_member = tf.reverse(member_and_user, [1])  # [P, 2], as the parts are indexed
        change = answers / members - tf.gather_nd(parts, user_and_member)
        change *= tf.expand_dims(tf.gather_nd(tower_weights, pairs), 1)
        combined = tf.tensor_scatter_nd_add(parts, user_and_member, change)
        return tf.reshape(combined, [-1, width])
