"""Next-item losses: softmax over the catalogue, in full or over sampled items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import tensorflow as tf

from trainer.encoder.catalogue import MASKED, Catalogue, at_period, with_constant
from trainer.training.labelled_queries import LabelledQueries
from trainer.training.softmax import catalogue_cross_entropy


def softmax_loss(
    catalogue: Catalogue, batch: LabelledQueries, samples: int | None = None
) -> tf.Tensor:
    """The full softmax loss, or the sampled one where it is said how many items are drawn."""
    if samples is None:
        return full_softmax_loss(catalogue, batch)
    return sampled_softmax_loss(catalogue, batch, samples)


def full_softmax_loss(catalogue: Catalogue, batch: LabelledQueries) -> tf.Tensor:
    """Mean cross-entropy of the next items against the whole catalogue.

    Args:
        catalogue: scores the items.
        batch: what came next after which query.

    Returns:
        Scalar float32, the mean of the members' losses.

    Example:
        A new catalogue knows nothing of its items: each of ten is as likely as another.

        >>> catalogue = Catalogue(items=10, categories=0, own_items=False, width=8)
        >>> catalogue.build()
        >>> targets = tf.constant([[3], [7]])
        >>> batch = LabelledQueries(tf.zeros([2, 8]), targets, [tf.ones([2, 1])])
        >>> print(f"{full_softmax_loss(catalogue, batch):.4f}")  # log(10)
        2.3026
    """
    item, bonus = None, None
    if batch.own is not None:
        item, bonus = catalogue.own_bonus(batch.query, batch.own, batch.period, batch.asked)
    table = catalogue.table(by_period=batch.period is not None)
    losses = [
        catalogue_cross_entropy(part, rows, batch.targets, label, item, bonus)
        for (part, (rows,)), label in zip(
            _members(batch, [table], catalogue), batch.weights, strict=True
        )
    ]
    return tf.reduce_mean(tf.add_n(losses) / batch.members)


def sampled_softmax_loss(catalogue: Catalogue, batch: LabelledQueries, samples: int) -> tf.Tensor:
    """Cross-entropy against items sampled for the whole batch, corrected for the sampling.

    Items are drawn without replacement from a log-uniform distribution over the index, which
    falls with frequency; subtracting the log of the expected count makes the estimate consistent
    (Bengio & Senécal 2008; Jean et al. 2015, eq. 8). Own items that were drawn get their bonus.

    Args:
        catalogue: scores the items.
        batch: what came next after which query.
        samples: how many items are drawn.

    Returns:
        Scalar float32, the mean of the members' losses.
    """
    targets = batch.targets
    drawn, _, drawn_expected = tf.random.log_uniform_candidate_sampler(
        true_classes=tf.cast(tf.maximum(targets[:, :1] - 1, 0), tf.int64),
        num_true=1,
        num_sampled=samples,
        unique=True,
        range_max=catalogue.items,
    )
    drawn = tf.cast(drawn, tf.int32) + 1
    valid = targets > 0
    # An item that is a target twice, in a basket or after it, counts once against the others.
    before = tf.linalg.band_part(targets[:, :, None] == targets[:, None, :], -1, 0)
    before = tf.linalg.set_diag(before, tf.zeros_like(valid))
    once = valid & ~tf.reduce_any(before, axis=2)
    # A drawn item that is a target of the row is not a negative for it.
    hit = tf.reduce_any(drawn[None, None, :] == targets[:, :, None], axis=1)
    of_negatives, of_positives = 0.0, 0.0
    if batch.own is not None:
        item, bonus = catalogue.own_bonus(batch.query, batch.own, batch.period, batch.asked)
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
        scores = [tf.where(hit, MASKED, negative), tf.where(once, positive, MASKED)]
        normaliser = tf.reduce_logsumexp(tf.concat(scores, axis=1), axis=1)
        surprise = normaliser[:, None] - tf.where(valid, positive, 0.0)
        return tf.reduce_sum(label * surprise, axis=1)

    by_period = batch.period is not None
    rows = [catalogue.rows(part, by_period=by_period) for part in (drawn, targets)]
    parts = [
        losses(part, negatives, positives, label)
        for (part, (negatives, positives)), label in zip(
            _members(batch, rows, catalogue), batch.weights, strict=True
        )
    ]
    return tf.reduce_mean(tf.add_n(parts) / batch.members)


def _members(
    batch: LabelledQueries, rows: list[tf.Tensor], catalogue: Catalogue
) -> Iterator[tuple[tf.Tensor, list[tf.Tensor]]]:
    """Each member's part of the queries and of the table's rows, with the biases, in float32.

    Args:
        batch: queries [batch, members * d].
        rows: [..., members * d + b] each; the biases in the last columns are common to all.
        catalogue: whose rows these are; with a bias for each period if the batch says which.

    Yields:
        [batch, d + b] and [..., d + b] each.
    """
    # The query of an ensemble is scaled so that its score is the members' mean.
    members, period = batch.members, batch.period
    queries = tf.split(tf.cast(batch.query, tf.float32) * members, members, axis=-1)
    width = catalogue.width
    vectors = [tf.split(tf.cast(r[..., :width], tf.float32), members, axis=-1) for r in rows]
    biases = [tf.cast(r[..., width:], tf.float32) for r in rows]
    for member, part in enumerate(queries):
        yield (
            with_constant(part)
            if period is None
            else at_period(part, period, catalogue.periods, batch.asked),
            [
                tf.concat([v[member], bias], axis=-1)
                for v, bias in zip(vectors, biases, strict=True)
            ],
        )


EVEN: Literal["even"] = "even"
"""All items that are asked for have the same share of a label."""


def target_weights(targets: tf.Tensor, first_weight: float | Literal["even"]) -> tf.Tensor:
    """How a sample's label is spread over its targets.

    Args:
        targets: int32 [batch, m], 0 = padding or unknown.
        first_weight: share of the first column, the next item; the others share the rest evenly.
            With "even" all have the same share.

    Returns:
        float32 [batch, m]; rows sum to one, or to zero where there is no target.
    """
    valid = tf.cast(targets > 0, tf.float32)
    if isinstance(first_weight, str):
        return tf.math.divide_no_nan(valid, tf.reduce_sum(valid, axis=1, keepdims=True))
    others = valid[:, 1:]
    others *= (1.0 - first_weight) / tf.maximum(tf.reduce_sum(others, axis=1, keepdims=True), 1.0)
    weights = tf.concat([first_weight * valid[:, :1], others], axis=1)
    return tf.math.divide_no_nan(weights, tf.reduce_sum(weights, axis=1, keepdims=True))


def growing(weights: tf.Tensor, power: float) -> tf.Tensor:
    """Labels that weigh more the more targets they have.

    Args:
        weights: float32 [batch, m], rows that sum to one, 0 where there is no target.
        power: of the number of targets, 0 to 1.

    Returns:
        float32 [batch, m], rows that sum to that number to the power.
    """
    count = tf.math.count_nonzero(weights, axis=1, keepdims=True, dtype=tf.float32)
    return weights * tf.pow(count, power)


def looking_ahead(weights: tf.Tensor, later: tf.Tensor, share: float) -> tf.Tensor:
    """Gives a share of a label to what comes after the items that are asked for.

    Args:
        weights: float32 [batch, m], of the items that are asked for.
        later: int32 [batch, n], items after it; 0 = padding or unknown.
        share: how much of the label the known ones of them share evenly; a row without any keeps
            all of it for those.

    Returns:
        float32 [batch, m + n].
    """
    known = tf.cast(later > 0, tf.float32)
    count = tf.reduce_sum(known, axis=1, keepdims=True)
    given = tf.where(count > 0, share, 0.0)
    return tf.concat([(1.0 - given) * weights, tf.math.divide_no_nan(given * known, count)], axis=1)
