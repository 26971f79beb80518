"""Softmax cross-entropy over the catalogue with few passes over the score matrix.

The scores of a batch against the catalogue are the largest thing that training makes (12 MB for 256
samples and 12,000 items), and each pass over them costs as much as a small matrix product. The
softmax is therefore never normalised as a matrix: the sums of its rows scale the small factors of
the gradient's products instead.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from trainer.data.item_lists import added


def catalogue_cross_entropy(
    query: tf.Tensor,
    table: tf.Tensor,
    targets: tf.Tensor,
    weights: tf.Tensor,
    item: tf.Tensor | None = None,
    bonus: tf.Tensor | None = None,
) -> tf.Tensor:
    """Cross-entropy of weighted targets under softmax(table . query + bonus).

    Args:
        query: float32 [batch, d].
        table: float32 [items, d].
        targets: int32 [batch, m], rows of the table.
        weights: float32 [batch, m], of the targets; a row sums to one, or to zero to count as no
            loss. No gradient flows into them.
        item: int32 [batch, n], rows of the table whose score gets a bonus, each once, or None.
        bonus: float32 [batch, n], together with `item`.

    Returns:
        float32 [batch].
    """
    if item is None or bonus is None:
        return _cross_entropy(query, table, targets, weights)
    return _cross_entropy_with_bonus(query, table, bonus, item, targets, weights)


@tf.custom_gradient
def _cross_entropy(
    query: tf.Tensor, table: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
) -> Any:
    softmax = _Softmax(tf.matmul(query, table, transpose_b=True), targets, weights)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        return *softmax.gradients(upstream, query, table), None, None

    return softmax.losses, gradient


@tf.custom_gradient
def _cross_entropy_with_bonus(
    query: tf.Tensor,
    table: tf.Tensor,
    bonus: tf.Tensor,
    item: tf.Tensor,
    targets: tf.Tensor,
    weights: tf.Tensor,
) -> Any:
    scores = tf.matmul(query, table, transpose_b=True)
    softmax = _Softmax(added(scores, item, bonus), targets, weights)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        is_target = tf.cast(item[:, :, None] == targets[:, None, :], tf.float32)
        label = tf.einsum("bnm,bm->bn", is_target, upstream[:, None] * weights)
        of_bonus = softmax.scale(upstream) * tf.gather(softmax.odds, item, batch_dims=1) - label
        of_query, of_table = softmax.gradients(upstream, query, table)
        return of_query, of_table, of_bonus, None, None, None

    return softmax.losses, gradient


class _Softmax:
    """The softmax of scores [batch, items] as odds and their row sums."""

    def __init__(self, scores: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> None:
        self._targets = targets
        self._weights = weights
        highest = tf.reduce_max(scores, axis=1, keepdims=True)
        self.odds = tf.exp(scores - highest)
        self._total = tf.reduce_sum(self.odds, axis=1, keepdims=True)
        self._used = tf.reduce_sum(weights, axis=1, keepdims=True)
        wanted = weights * tf.gather(scores, targets, batch_dims=1)
        normaliser = self._used * (highest + tf.math.log(self._total))
        self.losses = normaliser[:, 0] - tf.reduce_sum(wanted, axis=1)

    def scale(self, upstream: tf.Tensor) -> tf.Tensor:
        """[batch, 1], the factors that turn odds into the gradient of the normaliser."""
        return upstream[:, None] * self._used / self._total

    def gradients(
        self, upstream: tf.Tensor, query: tf.Tensor, table: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Gradients of the losses with respect to query and table."""
        scale, label = self.scale(upstream), upstream[:, None] * self._weights
        of_query = scale * tf.matmul(self.odds, table) - tf.einsum(
            "bm,bmd->bd", label, tf.gather(table, self._targets)
        )
        of_table = tf.matmul(self.odds, scale * query, transpose_a=True)
        pulled = tf.reshape(label[:, :, None] * query[:, None, :], [-1, query.shape[1]])
        of_table = tf.tensor_scatter_nd_sub(of_table, tf.reshape(self._targets, [-1, 1]), pulled)
        return of_query, of_table
