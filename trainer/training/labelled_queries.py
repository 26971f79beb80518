"""What a next-item loss compares: queries, and the items that came next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from trainer.encoder.own_items import OwnItems


class LabelledQueries(NamedTuple):
    """A batch of queries with their labels.

    Example:
        >>> query, targets = tf.zeros([2, 8]), tf.constant([[3, 7], [1, 0]])
        >>> batch = LabelledQueries(query, targets, weights=[tf.constant([[0.5, 0.5], [1, 0]])])
        >>> batch.members, batch.own is None
        (1, True)
    """

    query: tf.Tensor
    """[batch, width], float32 or the precision of training."""
    targets: tf.Tensor
    """int32 [batch, m], the items that came next; 0 = padding."""
    weights: Sequence[tf.Tensor]
    """float32 [batch, m] for each member that the vectors consist of: how its label is spread over
    the targets. Each member has a loss of its own (see `TowerEnsemble`)."""
    own: OwnItems | None = None
    """The users' own items; None: they have no bonus."""
    period: tf.Tensor | None = None
    """int32 [batch], when the targets were taken (`DemandTrend.period_of`); None: after the end of
    the training log."""
    asked: tf.Tensor | None = None
    """float32 [batch], 1 where a target action is asked for, 0 where any event is; None where the
    catalogue does not tell them apart. Goes with `period`."""

    @property
    def members(self) -> int:
        """How many members the vectors consist of."""
        return len(self.weights)
