"""How specialists are combined: H_c = sum_k w_k H_k.

The weights follow the soft cluster membership m of a user and one learnt strength s_k in [0, 1]
per specialist:

    w_k = s_k m_k              for the specialists k = 1 … K
    w_0 = 1 - sum_k s_k m_k    for the global encoder

All strengths zero is the global encoder; all one is a soft routing to the specialists. A user who
belongs to no cluster (noise) has no membership at all, and so gets the global encoder.

Only the few clusters that a user belongs to most count (top-k gating, Shazeer et al. 2017); the
weight of the others goes to the global encoder. So a request runs only that many specialists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer.clusters.cluster_geometry import ClusterGeometry


@dataclass(frozen=True)
class Mixture:
    """A combination of the global encoder with K specialists.

    Attributes:
        geometry: assigns soft cluster membership to the users, as the global encoder represents
            them.
        strengths: float32 [K], in [0, 1].
        per_user: how many clusters of a user count, at least 1.
    """

    geometry: ClusterGeometry
    strengths: np.ndarray
    per_user: int

    def weights(self, embeddings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Cluster and weights of users.

        Args:
            embeddings: [batch, dim], the global encoder's `geometry.representation`.

        Returns:
            cluster_id int64 [batch], -1 for noise, and weights float32 [batch, K + 1]; rows sum
            to one.
        """
        cluster, membership = self.geometry.in_graph(embeddings)
        counted = strongest(membership, self.per_user)
        return cluster, mixture_weights(counted, tf.constant(self.strengths, tf.float32))


def strongest(membership: tf.Tensor, count: int) -> tf.Tensor:
    """Membership [batch, K] with zeros but for each user's `count` largest; ties stay together."""
    least = tf.math.top_k(membership, tf.minimum(count, tf.shape(membership)[1])).values[:, -1:]
    return tf.where(membership >= least, membership, tf.zeros_like(membership))


def mixture_weights(membership: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
    """Weights [batch, K + 1] of membership [batch, K] under strengths [K]; the global one first.

    Example:
        >>> membership = tf.constant([[0.75, 0.25], [0.0, 0.0]])
        >>> mixture_weights(membership, tf.constant([1.0, 0.0])).numpy().tolist()
        [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]]
    """
    specialists = membership * strengths
    rest = 1.0 - tf.reduce_sum(specialists, axis=1, keepdims=True)
    return tf.concat([rest, specialists], axis=1)
