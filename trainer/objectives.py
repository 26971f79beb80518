"""Next-item losses: softmax over the catalogue, in full or over sampled items."""

from __future__ import annotations

import tensorflow as tf

from trainer.catalogue import Catalogue
from trainer.own_items import OwnItems


def full_softmax_loss(
    catalogue: Catalogue,
    query: tf.Tensor,
    own: OwnItems | None,
    targets: tf.Tensor,
    first_weight: float,
) -> tf.Tensor:
    """Mean cross-entropy of the next items against the whole catalogue.

    Args:
        catalogue: scores the items.
        query: [batch, width].
        own: the user's own items or None.
        targets: int32 [batch, m], the items of the next instant, the next one in log order
            first; 0 = padding.
        first_weight: see `target_weights`.

    Returns:
        Scalar float32.
    """
    logits = catalogue.logits(query, own)
    if targets.shape[1] == 1:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets[:, 0], logits)
        return tf.reduce_mean(tf.where(targets[:, 0] > 0, losses, 0.0))
    weights = target_weights(targets, first_weight)
    rows = tf.broadcast_to(tf.range(tf.shape(targets)[0])[:, None], tf.shape(targets))
    labels = tf.scatter_nd(tf.stack([rows, targets], axis=-1), weights, tf.shape(logits))
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))


def sampled_softmax_loss(
    catalogue: Catalogue,
    query: tf.Tensor,
    own: OwnItems | None,
    targets: tf.Tensor,
    first_weight: float,
    samples: int,
) -> tf.Tensor:
    """Cross-entropy against items sampled for the whole batch, corrected for the sampling.

    Items are drawn without replacement from a log-uniform distribution over the index, which
    falls with frequency; subtracting the log of the expected count makes the estimate consistent
    (Bengio & Senécal 2008; Jean et al. 2015, eq. 8). Own items that were drawn get their bonus.

    Args:
        catalogue: gives the item table and the bonus.
        query: [batch, width].
        own: the user's own items or None.
        targets: int32 [batch, m], 0 = padding.
        first_weight: see `target_weights`.
        samples: how many items are drawn.

    Returns:
        Scalar float32.
    """
    drawn, _, drawn_expected = tf.random.log_uniform_candidate_sampler(
        true_classes=tf.cast(tf.maximum(targets[:, :1] - 1, 0), tf.int64),
        num_true=1,
        num_sampled=samples,
        unique=True,
        range_max=catalogue.items,
    )
    drawn = tf.cast(drawn, tf.int32) + 1
    table = tf.cast(catalogue.table(), tf.float32)
    query = tf.cast(query, tf.float32)
    sampled = tf.gather(table, drawn)
    negative = tf.matmul(query, sampled[:, :-1], transpose_b=True) + sampled[:, -1]
    wanted = tf.gather(table, targets)
    positive = tf.einsum("bd,bmd->bm", query, wanted[..., :-1]) + wanted[..., -1]
    if own is not None:
        item, bonus = catalogue.own_bonus(query, own)
        # Where each catalogue item stands among the drawn ones; `samples` = not drawn.
        place = tf.tensor_scatter_nd_update(
            tf.fill([catalogue.items + 1], samples), drawn[:, None], tf.range(samples)
        )
        column = tf.gather(place, item)
        rows = tf.broadcast_to(tf.range(tf.shape(item)[0])[:, None], tf.shape(item))
        spread = tf.scatter_nd(
            tf.stack([rows, column], axis=-1), bonus, [tf.shape(item)[0], samples + 1]
        )
        negative += spread[:, :samples]
        same = tf.cast(item[:, None, :] == targets[:, :, None], tf.float32)
        positive += tf.reduce_sum(same * bonus[:, None, :], axis=-1)
    negative -= tf.math.log(drawn_expected)
    # A drawn item that is a target of the row is not a negative for it.
    hit = tf.reduce_any(drawn[None, None, :] == targets[:, :, None], axis=1)
    negative = tf.where(hit, -1e9, negative)
    weights = target_weights(targets, first_weight)
    valid = targets > 0
    normaliser = tf.reduce_logsumexp(
        tf.concat([negative, tf.where(valid, positive, -1e9)], axis=1), axis=1
    )
    return tf.reduce_mean(
        tf.reduce_sum(weights * (normaliser[:, None] - tf.where(valid, positive, 0.0)), axis=1)
    )


def target_weights(targets: tf.Tensor, first_weight: float) -> tf.Tensor:
    """How a sample's label is spread over its targets.

    Args:
        targets: int32 [batch, m], 0 = padding or unknown.
        first_weight: share of the first column, the next item in log order; the others share the
            rest evenly.

    Returns:
        float32 [batch, m]; rows sum to one, or to zero where there is no target.
    """
    valid = tf.cast(targets > 0, tf.float32)
    others = valid[:, 1:]
    others *= (1.0 - first_weight) / tf.maximum(tf.reduce_sum(others, axis=1, keepdims=True), 1.0)
    weights = tf.concat([first_weight * valid[:, :1], others], axis=1)
    return tf.math.divide_no_nan(weights, tf.reduce_sum(weights, axis=1, keepdims=True))
