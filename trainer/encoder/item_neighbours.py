"""What a user has not had yet, and others have who have the user's latest items.

An encoder gives every item a vector, and after a few epochs over a few thousand customers these are
coarse. Counting whose items go together is exact. So the scores of items that are new to a user are
raised by item-based nearest neighbours (Sarwar et al. 2001; Deshpande and Karypis 2004), computed
from the history alone:

    score_j = sum_i 0.5^(a_i / HALF_LIFE) S[i, j],    bonus_j = weight * log(1 + score_j / floor),

over the user's latest items i, a_i of the user's instants after their latest event. S[i, j] is the
cosine of the sets of users of i and j, for the `NEIGHBOURS` nearest ones of i, whose similarities
add up to 1.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.data.item_lists import among, summed
from trainer.encoder.own_items import FEATURE_NAMES, OwnItems

NEIGHBOURS = 20
"""How many neighbours an item has."""
HALF_LIFE = 1.0
"""An item counts half as much as one that was taken so many instants later."""
_LATEST = 64
"""So many of a user's items count at most, the latest ones. This bounds the time of a request."""
_AGO = FEATURE_NAMES.index("log_instants_ago")


@keras.saving.register_keras_serializable(package="cohortrec")
class ItemNeighbours(keras.layers.Layer):
    """Raises the scores of items that are new to a user. It is counted, not trained.

    Args:
        items: catalogue size; item indices run from 1 to `items`.
        used: whether anything is raised. If not, it costs nothing.

    Attributes:
        weight: weight [], chosen on validation (`trainer/training/neighbour_fit.py`).
        floor: weight [], the score at which a bonus has risen to `weight * log(2)`.
    """

    def __init__(self, items: int, used: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs, autocast=False)
        self.items = items
        self.used = used

    def build(self, input_shape: Any = None) -> None:
        """Creates the weights; without neighbours yet."""
        shape = (self.items + 1, NEIGHBOURS)
        self.neighbours = self._counted("neighbours", shape, "int32")
        self.similarities = self._counted("similarities", shape, "float32")
        self.weight = self._counted("weight", (), "float32")
        self.floor = self._counted("floor", (), "float32")
        self.built = True

    def _counted(self, name: str, shape: tuple[int, ...], dtype: str) -> Any:
        """Numbers that are counted or chosen, not trained."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer="zeros",
            trainable=False,
            dtype=dtype,
            autocast=False,
        )

    def set_neighbours(self, neighbours: np.ndarray, similarities: np.ndarray) -> None:
        """Stores what was counted.

        Args:
            neighbours: integers [items + 1, NEIGHBOURS], item indices, 0 = none.
            similarities: floats of the same shape, 0 where there is no neighbour.
        """
        self.neighbours.assign(neighbours)
        self.similarities.assign(similarities)

    def call(self, own: OwnItems) -> tuple[tf.Tensor, tf.Tensor]:
        """What is raised, and by how much.

        Args:
            own: the user's own items.

        Returns:
            item int32 [batch, m], each once, 0 = none; and bonus float32 [batch, m], at least 0,
            and 0 for the user's own items.
        """
        item, score = self.scores(own)
        weight, floor = tf.convert_to_tensor(self.weight), tf.convert_to_tensor(self.floor)
        return item, weight * tf.math.log1p(tf.math.divide_no_nan(score, floor))

    def scores(self, own: OwnItems) -> tuple[tf.Tensor, tf.Tensor]:
        """Item int32 [batch, m] and score float32 [batch, m]; see `call`."""
        known = tf.where(own.item <= self.items, own.item, 0)
        # 0 where there is no item, which then comes last.
        share = tf.pow(0.5, tf.math.expm1(own.features[..., _AGO]) / HALF_LIFE)
        share = tf.where(known > 0, share, 0.0)
        share, place = tf.math.top_k(share, tf.minimum(_LATEST, tf.shape(share)[1]))
        latest = tf.gather(known, place, batch_dims=1)
        batch, raised = tf.shape(latest)[0], tf.shape(latest)[1] * NEIGHBOURS
        near = tf.reshape(tf.gather(self.neighbours, latest), [batch, raised])
        given = tf.gather(self.similarities, latest) * share[..., None]
        _, item, score = summed(near, tf.reshape(given, [batch, raised]))
        return item, tf.where(among(item, tf.sort(known, axis=1)), 0.0, score)

    def take_from(self, other: ItemNeighbours) -> None:
        """Copies the weights of a layer whose items are the first ones of this catalogue."""
        new = [[0, self.items - other.items], [0, 0]]
        self.set_neighbours(np.pad(other.neighbours, new), np.pad(other.similarities, new))
        self.weight.assign(other.weight)
        self.floor.assign(other.floor)
        self.used = other.used

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "items": self.items, "used": self.used}
