"""The own members of a specialist, beside those that it shares with the global encoder.

Fine-tuning changes `specialists.members` of an ensemble's towers; the others are shared, and their
answers need not be computed again. So a specialist's query differs from the global encoder's only
in the parts of its own members,

    H_k - H_0 = [0 … (q_m' - q_m) / M … 0],

and since the weights sum to one, H_c = sum_k w_k H_k = H_0 + sum_k w_k (H_k - H_0).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.encoder.event_tower import EventTower
from trainer.encoder.tower_ensemble import TowerEnsemble, members_of
from trainer.inference.stacked_towers import StackedTowers


class OwnMembers(tf.Module):
    """The towers of a specialist that are not the global encoder's, with their current weights.

    Args:
        specialist: as many members as `shared` has, of the same widths.
        shared: the global encoder's towers.
    """

    def __init__(
        self, specialist: EventTower | TowerEnsemble, shared: EventTower | TowerEnsemble
    ) -> None:
        super().__init__()
        own = own_towers(specialist, shared)
        self.places, self.towers = list(own), list(own.values())
        widths = [member.width for member in members_of(shared)]
        ends = np.cumsum(widths).tolist()
        self._parts = [slice(end - width, end) for width, end in zip(widths, ends, strict=True)]
        self._answering = StackedTowers(self.towers) if self.towers else None

    def change(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor, query: tf.Tensor
    ) -> tf.Tensor:
        """H_k - H_0, float32 [batch, width].

        Args:
            events: as for `EventTower.call`.
            item_vectors: [batch, length, width], the events' items.
            query: H_0, float32 [batch, width].
        """
        changes = [tf.zeros_like(query[:, part]) for part in self._parts]
        if self._answering is not None:
            parts = [item_vectors[..., self._parts[m]] for m in self.places]
            own = self._answering(events, tf.cast(tf.stack(parts), tf.float32))
            for m, answer in zip(self.places, tf.unstack(own), strict=True):
                changes[m] = answer / len(self._parts) - query[:, self._parts[m]]
        return tf.concat(changes, axis=1)


def own_towers(
    specialist: EventTower | TowerEnsemble, shared: EventTower | TowerEnsemble
) -> dict[int, EventTower]:
    """The members of a specialist that are not the global encoder's, by their places."""
    pairs = zip(members_of(specialist), members_of(shared), strict=True)
    return {m: own for m, (own, common) in enumerate(pairs) if not _equal(own, common)}


def leave_trainable(tower: EventTower | TowerEnsemble, members: int) -> Sequence[EventTower]:
    """Freezes all but the first members of a tower, and returns these.

    The first ones learnt only the next item; the others look ahead or know item features.
    """
    towers = members_of(tower)
    for member in towers[members:]:
        member.trainable = False
    return towers[:members]


def _equal(tower: EventTower, other: EventTower) -> bool:
    ours, theirs = tower.get_weights(), other.get_weights()
    return len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))
