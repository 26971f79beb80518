"""Scoring whole splits: queries, ranks and lists of many histories, in batches by length."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import tensorflow as tf

from trainer.clusters.representation import LAST_STATE, Representation, dimensions
from trainer.data.encoder_inputs import SEEN_LIMIT, padded_length
from trainer.data.histories import Histories
from trainer.data.item_transitions import ItemTransitions
from trainer.data.windows import padded_columns
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.own_items import FlatOwnItems, OwnItems
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.metrics import BASKET_PRIMARY, PRIMARY_CUTOFF, basket_values
from trainer.evaluation.scoring_graphs import Batch, ScoringGraphs
from trainer.inference.own_members import OwnMembers
from trainer.shelves import ALL, NEW, OWN, Shelf

_SCORES_AT_ONCE = 16_000_000
"""Elements of a score matrix that is held at once (64 MB)."""
_KEPT_BYTES = 400_000_000
"""So much of what is known of own items is kept between calls; the rest is counted again."""


class Scorer:
    """Ranks items for a fixed set of histories; graphs, columns and own items are kept for later.

    Args:
        encoder: whose weights at the time of a call are used.
        histories: of the users; with targets if `ranks` is called.
        transitions: raise scores beside the encoder, None if nothing does.
        graphs: those of another scorer, which has this encoder and these transitions.
    """

    def __init__(
        self,
        encoder: BehaviorEncoder,
        histories: Histories,
        transitions: ItemTransitions | None = None,
        graphs: ScoringGraphs | None = None,
    ) -> None:
        self.histories = histories
        self.encoder = encoder
        self._graphs = graphs or ScoringGraphs(encoder, transitions)
        self._own = encoder.own_events
        self._columns = padded_columns(histories.columns)
        self._batch_size = max(1, min(512, _SCORES_AT_ONCE // (encoder.catalogue.items + 1)))
        self._kept: dict[int, FlatOwnItems] = {}

    def on(self, histories: Histories) -> Scorer:
        """The same encoder and transitions for other users."""
        return Scorer(self.encoder, histories, graphs=self._graphs)

    def with_transitions(self, transitions: ItemTransitions) -> Scorer:
        """The same users and encoder with other transitions."""
        return self._with(self._graphs.with_transitions(transitions))

    def anew(self) -> Scorer:
        """The same users and encoder, whose catalogue has another way to score items now.

        Numbers that change need none of this; what a layer leaves out is left out of the graph.
        """
        return self._with(self._graphs.with_transitions(None))

    def _with(self, graphs: ScoringGraphs) -> Scorer:
        """The same users, whose own items are not counted again."""
        other = Scorer(self.encoder, self.histories, graphs=graphs)
        other._columns, other._kept = self._columns, self._kept
        return other

    def queries(self) -> np.ndarray:
        """float32 [users, width], the encoder's state of every history."""
        return self.queries_and_representations(LAST_STATE)[0]

    def queries_and_representations(self, kind: Representation) -> tuple[np.ndarray, np.ndarray]:
        """The vectors that recommend items to users, and those by which users are clustered.

        Args:
            kind: which representation.

        Returns:
            float32 [users, width] and float32 [users, dim], see `query_and_representation`.
        """
        users = len(self.histories)
        queries = np.zeros((users, self.encoder.tower.width), np.float32)
        represented = queries
        if kind != LAST_STATE:
            represented = np.zeros((users, dimensions(kind, queries.shape[1])), np.float32)
        for rows, batch in self._batches():
            query, representation = self._graphs.encode(kind, batch)
            queries[rows], represented[rows] = query.numpy(), representation.numpy()
        return queries, represented

    def own_items(self) -> Iterator[OwnItems]:
        """The own items of all users, some users at a time; nothing where these are not scored."""
        for _, batch in self._scored_batches():
            if batch.own_items:
                yield batch.own_items.padded()

    def specialist_queries(self, specialist: OwnMembers, queries: np.ndarray) -> np.ndarray:
        """float32 [users, width], a specialist's state of every history.

        Only its own members are run: `queries` themselves are returned where it has none.

        Args:
            specialist: its own members.
            queries: float32 [users, width], the encoder's.
        """
        if not specialist.towers:
            return queries
        changed = np.zeros_like(queries)
        for rows, batch in self._batches():
            query = tf.constant(queries[rows])
            changed[rows] = self._graphs.change(specialist, query, batch).numpy()
        return changed

    def ranks(self, queries: np.ndarray, transitions: float = 1.0) -> np.ndarray:
        """int32 [users], rank of the first target (see `target_rank`) under the given queries.

        Args:
            queries: float32 [users, width].
            transitions: what the bonus of the transitions is multiplied with.
        """
        share = tf.constant(transitions, tf.float32)
        ranks = np.zeros(len(self.histories), np.int32)
        for rows, batch in self._scored_batches():
            targets = tf.constant(self.histories.next_item[rows], tf.int32)
            query = tf.constant(queries[rows])
            ranks[rows] = self._graphs.rank(query, batch, share, targets).numpy()
        return ranks

    @cached_property
    def held_out(self) -> Baskets:
        """What the users took next."""
        encoder = self.encoder
        return Baskets.of(self.histories, encoder.catalogue.items, encoder.exclude_seen)

    def values(self, queries: np.ndarray, transitions: float = 1.0) -> np.ndarray:
        """float64 [users], NDCG@10 of everything that a user took next; NaN where that is nothing.

        This is what models are chosen by. A basket counts as a whole: which of its items stands
        first in the log changes nothing. Where only one item was held out, it is that item's
        NDCG@10.

        Args:
            queries: float32 [users, width].
            transitions: as for `ranks`.
        """
        lists = self.lists(queries, PRIMARY_CUTOFF, transitions)
        held_out = self.held_out
        return basket_values(held_out.ranks_in(lists), held_out.splits, BASKET_PRIMARY)

    def lists(
        self, queries: np.ndarray, k: int, transitions: float = 1.0, shelf: Shelf = ALL
    ) -> np.ndarray:
        """int32 [users, k], the list that each user is shown (see `top_list`).

        Args:
            queries: float32 [users, width].
            k: length of the lists.
            transitions: as for `ranks`.
            shelf: of what. Where seen items are excluded all that is listed is new, and only `ALL`
                is a shelf.
        """
        share = tf.constant(transitions, tf.float32)
        lists = np.zeros((len(self.histories), k), np.int32)
        length = tf.constant(k, tf.int32)
        for rows, batch in self._scored_batches():
            query = tf.constant(queries[rows])
            lists[rows] = self._graphs.list(query, batch, share, length, shelf).numpy()
        return lists

    def shown(
        self, queries: np.ndarray, k: int, transitions: float = 1.0
    ) -> tuple[np.ndarray, dict[Shelf, np.ndarray]]:
        """`ranks`, and the lists of every shelf, from one pass of scores.

        Args:
            queries: float32 [users, width].
            k: length of the lists.
            transitions: as for `ranks`.

        Returns:
            int64 [users]; and int32 [users, k] by shelf, only `ALL` where seen items are excluded.
            The lists of a shelf are cut from the latest `SEEN_LIMIT` events, as the served ones.
        """
        share, length = tf.constant(transitions, tf.float32), tf.constant(k, tf.int32)
        users = len(self.histories)
        ranks = np.zeros(users, np.int64)
        shelves = (ALL,) if self.encoder.exclude_seen else (ALL, OWN, NEW)
        lists = {shelf: np.zeros((users, k), np.int32) for shelf in shelves}
        for rows, batch in self._scored_batches():
            targets = tf.constant(self.histories.next_item[rows], tf.int32)
            query = tf.constant(queries[rows])
            rank, listed = self._graphs.show(query, batch, share, targets, length)
            ranks[rows] = rank.numpy()
            for shelf in shelves:
                lists[shelf][rows] = listed[shelf].numpy()
        return ranks, lists

    def _scored_batches(self) -> Iterator[tuple[np.ndarray, Batch]]:
        """`_batches` with the users' own items, where these are scored."""
        for number, (rows, batch) in enumerate(self._batches()):
            yield rows, batch if not self._own else self._with_own_items(number, batch)

    def _with_own_items(self, number: int, batch: Batch) -> Batch:
        """The batch, with its own items counted at the first call."""
        if number in self._kept:
            return batch._replace(own_items=self._kept[number])
        own = self._graphs.own_items(batch)
        if sum(4 * int(tf.size(o.features)) for o in (own, *self._kept.values())) <= _KEPT_BYTES:
            self._kept[number] = own
        return batch._replace(own_items=own)

    def _batches(self) -> Iterator[tuple[np.ndarray, Batch]]:
        """The users in batches of one padded length: their rows, int64 [batch], and histories."""
        lengths = self.histories.lengths
        padded = padded_length(lengths, self.encoder.tower.max_events)
        starts, ends = self.histories.splits[:-1], self.histories.splits[1:]
        for length in np.unique(padded):
            bucket = np.flatnonzero(padded == length)
            # Own items are read from longer windows: users of like histories stand together.
            bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
            for i in range(0, len(bucket), self._batch_size):
                rows = bucket[i : i + self._batch_size]
                own = padded_length(lengths[rows], max(self._own, 1)).max()
                seen = padded_length(lengths[rows], SEEN_LIMIT).max()
                yield (
                    rows,
                    Batch(
                        columns=self._columns,
                        starts=tf.constant(starts[rows], tf.int32),
                        ends=tf.constant(ends[rows], tf.int32),
                        length=tf.constant(length, tf.int32),
                        own=tf.constant(own, tf.int32),
                        seen=tf.constant(seen, tf.int32),
                    ),
                )
