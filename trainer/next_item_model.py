"""The training wrapper: the encoder with a next-item loss, for `keras.Model.fit`."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from trainer.encoder import BehaviorEncoder
from trainer.objectives import full_softmax_loss, sampled_softmax_loss
from trainer.own_items import OwnItems, summarise


class NextItemModel(keras.Model):
    """Predicts the items of the next instant.

    Args:
        encoder: what is trained.
        first_weight: weight of the next item in log order among the items of its instant.
        sampled_items: size of the sampled softmax; None for the full one.
    """

    def __init__(
        self, encoder: BehaviorEncoder, first_weight: float, sampled_items: int | None = None
    ) -> None:
        super().__init__(name="next_item")
        self.encoder = encoder
        self.first_weight = first_weight
        self.sampled_items = sampled_items

    def build(self, input_shape: Any = None) -> None:
        """Creates the encoder's weights."""
        self.encoder.build()
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, Any]:
        """The query [batch, width] and the summary of the user's own items."""
        return {"query": self.encoder(inputs, training=training), "own": own_items(inputs)}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """Cross-entropy of targets `y` int32 [batch, m], 0 = padding."""
        arguments = (self.encoder.catalogue, y_pred["query"], y_pred["own"], y, self.first_weight)
        members = self.encoder.members
        if self.sampled_items is None:
            return full_softmax_loss(*arguments, members=members)
        return sampled_softmax_loss(*arguments, samples=self.sampled_items, members=members)


def own_items(inputs: dict[str, tf.Tensor]) -> OwnItems | None:
    """Summary of the user's own items where the inputs carry their window."""
    if "own_item" not in inputs:
        return None
    return summarise(inputs["own_item"], inputs["own_time"])
