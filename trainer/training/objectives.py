"""Next-item losses: softmax over the catalogue, in full or over sampled items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import tensorflow as tf

from trainer.encoder.catalogue import MASKED, Catalogue, at_period, with_constant
from trainer.encoder.own_items import OwnItems
from trainer.training.softmax import catalogue_cross_entropy


def full_softmax_loss(
    catalogue: Catalogue,
    query: tf.Tensor,
    own: OwnItems | None,
    targets: tf.Tensor,
    weights: Sequence[tf.Tensor],
    period: tf.Tensor | None = None,
) -> tf.Tensor:
    """Mean cross-entropy of the next items against the whole catalogue.

    Args:
        catalogue: scores the items.
        query: [batch, width].
        own: the user's own items or None.
        targets: int32 [batch, m], the items that come next; 0 = padding.
        weights: float32 [batch, m] for each member that the vectors consist of: how its label is
            spread over the targets. Each member has a loss of its own (see `TowerEnsemble`), and
            the mean of these is returned.
        period: int32 [batch], when the targets were taken (`DemandTrend.period_of`); None: after
            the end of the training log.

    Returns:
        Scalar float32.
    """
    bonus = (None, None) if own is None else catalogue.own_bonus(query, own, period)
    table = catalogue.table(by_period=period is not None)
    losses = [
        catalogue_cross_entropy(part, rows, targets, label, *bonus)
        for (part, (rows,)), label in zip(
            _members(query, [table], len(weights), catalogue, period), weights, strict=True
        )
    ]
    return tf.reduce_mean(tf.add_n(losses) / len(weights))


def sampled_softmax_loss(
    catalogue: Catalogue,
    query: tf.Tensor,
    own: OwnItems | None,
    targets: tf.Tensor,
    weights: Sequence[tf.Tensor],
    samples: int,
    period: tf.Tensor | None = None,
) -> tf.Tensor:
    """Cross-entropy against items sampled for the whole batch, corrected for the sampling.

    Items are drawn without replacement from a log-uniform distribution over the index, which
    falls with frequency; subtracting the log of the expected count makes the estimate consistent
    (Bengio & Senécal 2008; Jean et al. 2015, eq. 8). Own items that were drawn get their bonus.

    Args:
        catalogue: scores the items.
        query: [batch, width].
        own: the user's own items or None.
        targets: int32 [batch, m], 0 = padding.
        weights: see `full_softmax_loss`.
        samples: how many items are drawn.
        period: see `full_softmax_loss`.

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
    valid = targets > 0
    # A drawn item that is a target of the row is not a negative for it.
    hit = tf.reduce_any(drawn[None, None, :] == targets[:, :, None], axis=1)
    of_negatives, of_positives = 0.0, 0.0
    if own is not None:
        item, bonus = catalogue.own_bonus(query, own, period)
        # Where each catalogue item stands among the drawn ones; `samples` = not drawn.
        place = tf.tensor_scatter_nd_update(
            tf.fill([catalogue.items + 1], samples), drawn[:, None], tf.range(samples)
        )
        column = tf.gather(place, item)
        rows = tf.broadcast_to(tf.range(tf.shape(item)[0])[:, None], tf.shape(item))
        spread = tf.scatter_nd(
            tf.stack([rows, column], axis=-1), bonus, [tf.shape(item)[0], samples + 1]
        )
        of_negatives = spread[:, :samples]
        same = tf.cast(item[:, None, :] == targets[:, :, None], tf.float32)
        of_positives = tf.reduce_sum(same * bonus[:, None, :], axis=-1)
    correction = of_negatives - tf.math.log(drawn_expected)

    def losses(
        part: tf.Tensor, negatives: tf.Tensor, positives: tf.Tensor, label: tf.Tensor
    ) -> tf.Tensor:
        negative = tf.matmul(part, negatives, transpose_b=True) + correction
        positive = tf.einsum("bd,bmd->bm", part, positives) + of_positives
        scores = [tf.where(hit, MASKED, negative), tf.where(valid, positive, MASKED)]
        normaliser = tf.reduce_logsumexp(tf.concat(scores, axis=1), axis=1)
        surprise = normaliser[:, None] - tf.where(valid, positive, 0.0)
        return tf.reduce_sum(label * surprise, axis=1)

    rows = [catalogue.rows(part, by_period=period is not None) for part in (drawn, targets)]
    parts = [
        losses(part, negatives, positives, label)
        for (part, (negatives, positives)), label in zip(
            _members(query, rows, len(weights), catalogue, period), weights, strict=True
        )
    ]
    return tf.reduce_mean(tf.add_n(parts) / len(weights))


def _members(
    query: tf.Tensor,
    rows: list[tf.Tensor],
    members: int,
    catalogue: Catalogue,
    period: tf.Tensor | None,
) -> Iterator[tuple[tf.Tensor, list[tf.Tensor]]]:
    """Each member's part of the queries and of the table's rows, with the biases, in float32.

    Args:
        query: [batch, members * d].
        rows: [..., members * d + b] each; the biases in the last columns are common to all.
        members: how many there are.
        catalogue: whose rows these are.
        period: int32 [batch], if there is a bias for each period.

    Yields:
        [batch, d + b] and [..., d + b] each.
    """
    # The query of an ensemble is scaled so that its score is the members' mean.
    queries = tf.split(tf.cast(query, tf.float32) * members, members, axis=-1)
    width = catalogue.width
    vectors = [tf.split(tf.cast(r[..., :width], tf.float32), members, axis=-1) for r in rows]
    biases = [tf.cast(r[..., width:], tf.float32) for r in rows]
    for member, part in enumerate(queries):
        yield (
            with_constant(part) if period is None else at_period(part, period, catalogue.periods),
            [
                tf.concat([v[member], bias], axis=-1)
                for v, bias in zip(vectors, biases, strict=True)
            ],
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


def looking_ahead(weights: tf.Tensor, later: tf.Tensor, share: float) -> tf.Tensor:
    """Gives a share of a label to what comes after the next instant.

    Args:
        weights: float32 [batch, m], of the next instant's items.
        later: int32 [batch, n], items after it; 0 = padding or unknown.
        share: how much of the label the known ones of them share evenly; a row without any keeps
            all of it for the next instant.

    Returns:
        float32 [batch, m + n].
    """
    known = tf.cast(later > 0, tf.float32)
    count = tf.reduce_sum(known, axis=1, keepdims=True)
    given = tf.where(count > 0, share, 0.0)
    return tf.concat([(1.0 - given) * weights, tf.math.divide_no_nan(given * known, count)], axis=1)
