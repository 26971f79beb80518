"""Several event towers side by side, each with its own part of the item vectors.

A deep ensemble (Lakshminarayanan et al. 2017) as one encoder: each member has a loss of its own,
starts from its own random weights and has its own dropout. Their scores are averaged. With vectors
laid side by side the average is again one inner product,

    (1/M) sum_m q_m . t_m = [q_1 … q_M] / M . [t_1 … t_M],

so that retrieval, clusters and specialists need not know that there are several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.encoder.event_tower import EventTower


@keras.saving.register_keras_serializable(package="cohortrec")
class TowerEnsemble(keras.layers.Layer):
    """M event towers that read the same events.

    Args:
        members: towers of one width.
    """

    def __init__(self, members: Sequence[EventTower], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.members = list(members)
        self.max_events = self.members[0].max_events
        self.width = sum(member.width for member in self.members)

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights."""
        for member in self.members:
            member.build()
        self.built = True

    def call(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Queries [batch, width] whose product with an item vector is the members' mean score.

        Args:
            events: as for `EventTower.call`.
            item_vectors: [batch, length, width].
            training: whether dropout applies; not to frozen members, which only answer.
        """
        queries = [
            member(events, part, training=training and member.trainable)
            for member, part in self._with_parts(item_vectors)
        ]
        return tf.concat(queries, axis=-1) / len(self.members)

    def states(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """States of all positions, [batch, length, width]; at position 0 what `call` gives."""
        states = [
            member.states(events, part, training=training)
            for member, part in self._with_parts(item_vectors)
        ]
        return tf.concat(states, axis=-1) / len(self.members)

    def _with_parts(self, item_vectors: tf.Tensor) -> Iterator[tuple[EventTower, tf.Tensor]]:
        """Each member with its part of the item vectors."""
        parts = tf.split(item_vectors, len(self.members), axis=-1)
        return zip(self.members, parts, strict=True)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        members = [keras.saving.serialize_keras_object(member) for member in self.members]
        return {**super().get_config(), "members": members}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TowerEnsemble:
        """Inverse of `get_config`."""
        config = dict(config)
        config["members"] = [
            keras.saving.deserialize_keras_object(member) for member in config["members"]
        ]
        return cls(**config)


def side_by_side(states: tf.Tensor) -> tf.Tensor:
    """The ensemble's states [..., M * width] of its members' [M, ..., width]."""
    members = states.shape[0]
    return tf.concat(tf.unstack(states), axis=-1) / members


def members_of(tower: EventTower | TowerEnsemble) -> list[EventTower]:
    """The towers of an ensemble; a lone tower is an ensemble of one."""
    return tower.members if isinstance(tower, TowerEnsemble) else [tower]
