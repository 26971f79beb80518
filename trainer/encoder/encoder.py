"""The BERT-style encoder of user histories: an item table and a transformer over events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.catalogue_forms import as_of_log_end, with_features_folded_in
from trainer.encoder.event_tower import EventTower
from trainer.encoder.tower_ensemble import TowerEnsemble, members_of

UNKNOWN_ITEM_RATE = 0.01
"""Share of input items that training replaces by the out-of-vocabulary item, so that its vector is
trained for items that come later."""


@keras.saving.register_keras_serializable(package="cohortrec")
class BehaviorEncoder(keras.Model):
    """Encodes a user's latest events into a query over the catalogue.

    Args:
        catalogue: the item table.
        tower: the transformer over events, or an ensemble of them.
        exclude_seen: whether items of the history are left out of recommendations. The encoder
            carries it so that everything that ranks its scores does the same.
        own_events: window of the user's own items, 0 if they are not scored.
        new_items: ids of the catalogue items beyond the training vocabulary, in the order of
            their indices: the last ones of the catalogue.
        target_actions: indices of the actions that it was trained to be asked for
            (`data.target_actions`); none: every action.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        tower: EventTower | TowerEnsemble,
        exclude_seen: bool,
        own_events: int,
        new_items: Sequence[str] = (),
        target_actions: Sequence[int] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.new_items = tuple(new_items)
        self.target_actions = tuple(target_actions)
        self.catalogue = catalogue
        self.tower = tower
        self.exclude_seen = exclude_seen
        self.own_events = own_events

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights."""
        self.catalogue.build()
        self.tower.build()
        self.built = True

    def call(self, events: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Query vectors [batch, width] of event windows; see `EventTower.call`."""
        items = events[features.ITEM]
        if training:
            unknown = tf.random.uniform(tf.shape(items)) < UNKNOWN_ITEM_RATE
            items = tf.where(unknown & (items > 0), self.catalogue.items + 1, items)
        vectors = self.catalogue(items, events[features.CATEGORY])
        return self.tower(events, vectors, training=training)

    def states(self, events: dict[str, tf.Tensor]) -> tf.Tensor:
        """States above all events, [batch, length, width]; at place 0 what `call` gives."""
        vectors = self.catalogue(events[features.ITEM], events[features.CATEGORY])
        states = self.tower.states(events, vectors)
        return tf.ensure_shape(states, [None, None, self.tower.width])

    @property
    def members(self) -> int:
        """How many towers there are side by side."""
        return len(members_of(self.tower))

    def with_features_folded_in(
        self, new_items: Sequence[str], new_features: np.ndarray, rare: np.ndarray
    ) -> BehaviorEncoder:
        """The same encoder (tower shared) with item features folded into a plain table.

        Args:
            new_items: ids of items to append to the catalogue.
            new_features: what is known of these, see `catalogue_forms`.
            rare: see `catalogue_forms`.
        """
        return self._with_catalogue(
            with_features_folded_in(self.catalogue, new_features, rare), new_items
        )

    def as_of_log_end(self) -> BehaviorEncoder:
        """The same encoder (tower shared) as of the end of the training log: what is served."""
        return self._with_catalogue(as_of_log_end(self.catalogue), self.new_items)

    def _with_catalogue(self, catalogue: Catalogue, new_items: Sequence[str]) -> BehaviorEncoder:
        encoder = BehaviorEncoder(
            catalogue,
            self.tower,
            self.exclude_seen,
            self.own_events,
            new_items,
            self.target_actions,
            name=self.name,
        )
        encoder.build()
        return encoder

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            "name": self.name,
            "catalogue": keras.saving.serialize_keras_object(self.catalogue),
            "tower": keras.saving.serialize_keras_object(self.tower),
            "exclude_seen": self.exclude_seen,
            "own_events": self.own_events,
            "new_items": list(self.new_items),
            "target_actions": list(self.target_actions),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> BehaviorEncoder:
        """Inverse of `get_config`."""
        config = dict(config)
        for part in ("catalogue", "tower"):
            config[part] = keras.saving.deserialize_keras_object(config[part])
        return cls(**config)
