"""Masked-item pre-training: the encoder guesses hidden items of a history from both sides.

The Cloze objective of BERT4Rec (Sun et al. 2019): some events of a window lose their item, and the
state above each of them must predict it. It trains the same weights as the next-item model, which
goes on from there.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import ASKED
from trainer.encoder.encoder import BehaviorEncoder
from trainer.training.labelled_queries import LabelledQueries
from trainer.training.masked_batches import PLACES
from trainer.training.objectives import softmax_loss


class MaskedItemModel(keras.Model):
    """Predicts the items that `MaskedBatches` hides.

    Args:
        encoder: what is trained; the bonus of own items takes no part.
        sampled_items: size of the sampled softmax; None for the full one.
    """

    def __init__(self, encoder: BehaviorEncoder, sampled_items: int | None = None) -> None:
        super().__init__(name="masked_item")
        self.encoder = encoder
        self.sampled_items = sampled_items

    def build(self, input_shape: Any = None) -> None:
        """Creates the encoder's weights."""
        self.encoder.build()
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """States above the hidden events.

        Args:
            inputs: event windows as for `EventTower.call`, items hidden already, and `PLACES`
                int32 [batch, m], where; -1 = padding.
            training: whether dropout applies.

        Returns:
            [batch, m, width]; above padding the state of any event.
        """
        vectors = self.encoder.catalogue(inputs[features.ITEM], inputs[features.CATEGORY])
        # A hidden event may have any action.
        inputs = {**inputs, ASKED: tf.zeros([1])}
        states = self.encoder.tower.states(inputs, vectors, training=training)
        return tf.gather(states, tf.maximum(inputs[PLACES], 0), batch_dims=1)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """Mean cross-entropy of the hidden items `y` int32 [batch, m], 0 = padding."""
        hidden = y > 0
        query, target = tf.boolean_mask(y_pred, hidden), tf.boolean_mask(y, hidden)[:, None]
        weights = [tf.ones(tf.shape(target))] * self.encoder.members
        catalogue = self.encoder.catalogue
        batch = LabelledQueries(query, target, weights)
        if catalogue.asks:
            at_end = tf.fill(tf.shape(target)[:1], catalogue.periods)
            asked = tf.zeros(tf.shape(target)[:1])
            batch = LabelledQueries(query, target, weights, period=at_end, asked=asked)
        return softmax_loss(self.encoder.catalogue, batch, self.sampled_items)
