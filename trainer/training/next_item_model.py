"""The training wrapper: the encoder with a next-item loss, for `keras.Model.fit`."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from trainer.config import LabelConfig
from trainer.data.encoder_inputs import ASKED
from trainer.data.sampling import NEXT_TIME
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.own_items import own_items_in
from trainer.encoder.tower_ensemble import members_of
from trainer.evaluation_config import EvaluationConfig
from trainer.training.labelled_queries import LabelledQueries
from trainer.training.objectives import (
    EVEN,
    growing,
    looking_ahead,
    softmax_loss,
    target_weights,
)


class NextItemModel(keras.Model):
    """Predicts the items of the next instant, or of the next period.

    Args:
        encoder: what is trained.
        label: how a sample's label is spread over its targets.
        sampled_items: size of the sampled softmax; None for the full one.
        evaluation: what the encoder will be asked for.
    """

    def __init__(
        self,
        encoder: BehaviorEncoder,
        label: LabelConfig,
        sampled_items: int | None = None,
        evaluation: EvaluationConfig | None = None,
    ) -> None:
        super().__init__(name="next_item")
        self.encoder = encoder
        self._label = label
        evaluation = evaluation or EvaluationConfig()
        self._first_weight = label.weight_of_first(evaluation)
        self.period = evaluation.period_seconds
        self.sampled_items = sampled_items

    def build(self, input_shape: Any = None) -> None:
        """Creates the encoder's weights."""
        self.encoder.build()
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, Any]:
        """The query [batch, width], the user's own items, and what comes next: its period, and
        whether it has a target action.
        """
        return {
            "query": self.encoder(inputs, training=training),
            "own": own_items_in(inputs),
            "period": self._period(inputs),
            "asked": inputs.get(ASKED),
        }

    def _period(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor | None:
        trend = self.encoder.catalogue.biases.trend
        if trend is not None:
            return trend.period_of(inputs[NEXT_TIME])
        # Without a trend the end of the log is the only period.
        return tf.zeros_like(inputs[ASKED], tf.int32) if ASKED in inputs else None

    @property
    def _together(self) -> bool:
        """Whether the members have one loss, because some are frozen.

        The others then learn what these lack. Without frozen ones each has a loss of its own, as
        members that are trained together agree too much.
        """
        return not all(member.trainable for member in members_of(self.encoder.tower))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """Cross-entropy of targets `y` int32 [batch, m + later_items], 0 = padding."""
        batch = LabelledQueries(
            query=y_pred["query"],
            targets=y,
            weights=self._weights(y),
            own=y_pred["own"],
            period=y_pred["period"],
            asked=y_pred["asked"],
        )
        return softmax_loss(self.encoder.catalogue, batch, self.sampled_items)

    @property
    def first_is_next(self) -> bool:
        """Whether the first target must be the next item.

        Of a period all items have the same share, unless the next one was given its own.
        """
        return self.period is None or self._first_weight != EVEN

    @property
    def later_items(self) -> int:
        """How many items after those that are asked for the targets must hold."""
        return self._label.later_items if self.encoder.members > 1 and not self._together else 0

    def _weights(self, targets: tf.Tensor) -> list[tf.Tensor]:
        """The label of each member, of which every second one looks ahead, or of all together."""
        instant = tf.shape(targets)[1] - self.later_items
        later = targets[:, instant:]
        near = target_weights(targets[:, :instant], self._first_weight)
        if self._label.basket_growth:
            near = growing(near, self._label.basket_growth)
        if self._together:
            return [near]
        return [
            looking_ahead(near, later, self._label.later_weight if member % 2 else 0.0)
            for member in range(self.encoder.members)
        ]
