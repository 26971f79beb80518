"""Event towers side by side, laid out for answering: one operation does what each member's did.

A request of one history takes a thousand operations of a few thousand multiplications each, so its
time goes into calling operations, not into arithmetic. A batch of many histories is mostly padding.
So the members stand stacked, with their attention in fewer products (`stacked_block.py`), and
padding is left out (`packed_rows.py`). The answers are those of `EventTower`, but for rounding
(`docs/journal/performance.md`).

Shapes: M members; G groups of rows (`member_rows.py`); `visible` events of the batch, as rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from trainer.data import features
from trainer.data.encoder_inputs import ASKED
from trainer.encoder.event_tower import EventTower
from trainer.inference.member_rows import EveryMember, MemberRows
from trainer.inference.packed_rows import PackedRows
from trainer.inference.stacked_block import StackedBlock, StackedNorm, kernel_of, stacked


class StackedTowers(tf.Module):
    """M towers of one shape as one, with the weights that they have now.

    Args:
        towers: at least one; weights are copied, in float32, into variables.
    """

    def __init__(self, towers: Sequence[EventTower]) -> None:
        super().__init__()
        first = towers[0]
        self._embeddings = {
            name: stacked([tower.event_embeddings[name].embeddings for tower in towers])
            for name in first.event_embeddings
        }
        self._price = None
        if first.price_projection is not None:
            self._price = stacked([kernel_of(tower.price_projection) for tower in towers])
        self._position = stacked([tower.served_positions for tower in towers])
        asked = [tower.asked.embeddings for tower in towers if tower.asked is not None]
        self._asked = stacked(asked) if asked else None  # [M, 1, width]
        self._norm = StackedNorm([tower.norm for tower in towers])
        self._blocks = [
            StackedBlock([tower.blocks[layer] for tower in towers])
            for layer in range(len(first.blocks))
        ]

    def __call__(
        self,
        events: dict[str, tf.Tensor],
        item_vectors: tf.Tensor,
        users: MemberRows | None = None,
    ) -> tf.Tensor:
        """The members' queries, [G, batch, width].

        Args:
            events: as for `EventTower.call`. Without `ASKED` a target action is asked for, which
                costs nothing.
            item_vectors: float32 [G, batch, length, width], each member's own.
            users: which member works on which users of the batch; if not given, all members work
                on all users (G = M).
        """
        rows, places = self._below_last(events, item_vectors, users or EveryMember())
        return self._blocks[-1].newest(rows, places)

    def states(self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor) -> tf.Tensor:
        """Every member's states of all positions, [M, batch, length, width].

        At position 0 they are what a call gives; those above padding mean nothing.

        Args:
            events: as for a call.
            item_vectors: as for a call.
        """
        rows, places = self._below_last(events, item_vectors, EveryMember())
        return places.padded(self._blocks[-1](rows, places))

    def _below_last(
        self, events: dict[str, tf.Tensor], item_vectors: tf.Tensor, users: MemberRows
    ) -> tuple[tf.Tensor, PackedRows]:
        """What the last block reads: rows [G, visible, width], and where these come from."""
        x = item_vectors  # [G, batch, length, width]
        for name, table in self._embeddings.items():
            index = tf.cast(events[name], tf.int32)
            # As in `EventTower`: an unknown index counts as the most frequent one, 1.
            known = tf.where((index >= 0) & (index < table.shape[1]), index, 1)
            x += users.look_up(table, known)
        if self._price is not None:
            amounts = tf.stack([events[features.PRICE], events[features.QUANTITY]], axis=-1)
            x += tf.matmul(amounts, users.own(self._price))
        x += users.own(self._position[:, : tf.shape(x)[2]])
        if self._asked is not None and ASKED in events:
            # The first position asks for a target action; that is taken back for all others.
            at_newest = tf.one_hot([0], tf.shape(x)[2]) * (events[ASKED][:, None] - 1.0)
            x += at_newest[:, :, None] * users.own(self._asked)
        places = PackedRows(events[features.ITEM], users)
        rows = self._norm(places.packed(x), places.members)
        for block in self._blocks[:-1]:
            rows = block(rows, places)
        return rows, places
