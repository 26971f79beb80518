"""Scoring whole splits: queries, ranks and lists of many histories, in batches by length."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.clusters.representation import (
    LAST_STATE,
    Representation,
    dimensions,
    query_and_representation,
)
from trainer.data import features
from trainer.data.encoder_inputs import OWN_ITEM, SEEN_LIMIT, cut_inputs, padded_length
from trainer.data.histories import Histories
from trainer.data.item_transitions import REACH, ItemTransitions, TransitionBonus
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.own_items import own_items_in
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.metrics import BASKET_PRIMARY, PRIMARY_CUTOFF, basket_values
from trainer.evaluation.ranking import target_rank, top_list
from trainer.graphs import graph_function
from trainer.inference.own_members import OwnMembers

_SCORES_AT_ONCE = 16_000_000
"""Elements of a score matrix that is held at once (64 MB)."""


class Batch(NamedTuple):
    """Histories that are scored at once, cut from the flat columns.

    Attributes:
        starts: int32 [batch], first event of each history.
        ends: int32 [batch], one past its last event.
        length: int32 [], the window that the encoder reads of them.
        own: int32 [], the window of their own items.
        seen: int32 [], the window of the items that may be excluded as seen.
    """

    starts: tf.Tensor
    ends: tf.Tensor
    length: tf.Tensor
    own: tf.Tensor
    seen: tf.Tensor


class Scorer:
    """Ranks items for a fixed set of histories; graphs and columns are kept between calls.

    Args:
        encoder: whose weights at the time of a call are used.
        histories: of the users; with targets if `ranks` is called.
        transitions: raise scores beside the encoder, None if nothing does.
    """

    def __init__(
        self,
        encoder: BehaviorEncoder,
        histories: Histories,
        transitions: ItemTransitions | None = None,
    ) -> None:
        self._encoder = encoder
        self._histories = histories
        self._transitions = TransitionBonus(transitions) if transitions else None
        self._own = encoder.own_events
        self._columns = {name: tf.constant(v) for name, v in histories.columns.items()}
        self._batch_size = max(1, min(512, _SCORES_AT_ONCE // (encoder.catalogue.items + 1)))
        self._encode = graph_function(self._encode_batch, reduce_retracing=True)
        self._change = graph_function(self._change_batch, reduce_retracing=True)
        self._rank = graph_function(self._rank_batch, reduce_retracing=True)
        self._list = graph_function(self._list_batch, reduce_retracing=True)

    def with_transitions(self, transitions: ItemTransitions) -> Scorer:
        """The same users and encoder with other transitions."""
        return Scorer(self._encoder, self._histories, transitions)

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
        users = len(self._histories)
        queries = np.zeros((users, self._encoder.tower.width), np.float32)
        represented = queries
        if kind != LAST_STATE:
            represented = np.zeros((users, dimensions(kind, queries.shape[1])), np.float32)
        for rows, batch in self._batches():
            query, representation = self._encode(kind, batch)
            queries[rows], represented[rows] = query.numpy(), representation.numpy()
        return queries, represented

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
            changed[rows] = self._change(specialist, query, batch).numpy()
        return changed

    def ranks(self, queries: np.ndarray, transitions: float = 1.0) -> np.ndarray:
        """int32 [users], rank of the first target (see `target_rank`) under the given queries.

        Args:
            queries: float32 [users, width].
            transitions: what the bonus of the transitions is multiplied with.
        """
        share = tf.constant(transitions, tf.float32)
        ranks = np.zeros(len(self._histories), np.int32)
        for rows, batch in self._batches():
            targets = tf.constant(self._histories.next_item[rows], tf.int32)
            query = tf.constant(queries[rows])
            ranks[rows] = self._rank(query, batch, share, targets).numpy()
        return ranks

    @cached_property
    def held_out(self) -> Baskets:
        """What the users took next."""
        encoder = self._encoder
        return Baskets.of(self._histories, encoder.catalogue.items, encoder.exclude_seen)

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

    def lists(self, queries: np.ndarray, k: int, transitions: float = 1.0) -> np.ndarray:
        """int32 [users, k], the list that each user is shown (see `top_list`).

        Args:
            queries: float32 [users, width].
            k: length of the lists.
            transitions: as for `ranks`.
        """
        share = tf.constant(transitions, tf.float32)
        lists = np.zeros((len(self._histories), k), np.int32)
        length = tf.constant(k, tf.int32)
        for rows, batch in self._batches():
            query = tf.constant(queries[rows])
            lists[rows] = self._list(query, batch, share, length).numpy()
        return lists

    def _batches(self) -> Iterator[tuple[np.ndarray, Batch]]:
        """The users in batches of one padded length: their rows, int64 [batch], and histories."""
        lengths = self._histories.lengths
        padded = padded_length(lengths, self._encoder.tower.max_events)
        starts, ends = self._histories.splits[:-1], self._histories.splits[1:]
        for length in np.unique(padded):
            bucket = np.flatnonzero(padded == length)
            for i in range(0, len(bucket), self._batch_size):
                rows = bucket[i : i + self._batch_size]
                own = padded_length(lengths[rows], max(self._own, 1)).max()
                seen = padded_length(lengths[rows], SEEN_LIMIT).max()
                yield (
                    rows,
                    Batch(
                        starts=tf.constant(starts[rows], tf.int32),
                        ends=tf.constant(ends[rows], tf.int32),
                        length=tf.constant(length, tf.int32),
                        own=tf.constant(own, tf.int32),
                        seen=tf.constant(seen, tf.int32),
                    ),
                )

    def _encode_batch(self, kind: Representation, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        inputs = cut_inputs(self._columns, batch.starts, batch.ends, batch.length, None)
        return query_and_representation(self._encoder, inputs, kind)

    def _change_batch(self, specialist: OwnMembers, query: tf.Tensor, batch: Batch) -> tf.Tensor:
        inputs = cut_inputs(self._columns, batch.starts, batch.ends, batch.length, None)
        vectors = self._encoder.catalogue(inputs[features.ITEM], inputs[features.CATEGORY])
        return query + specialist.change(inputs, vectors, query)

    def _rank_batch(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor, targets: tf.Tensor
    ) -> tf.Tensor:
        scores, excluded = self._scores(query, batch, share)
        return target_rank(scores, targets, excluded)

    def _list_batch(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor, length: tf.Tensor
    ) -> tf.Tensor:
        scores, excluded = self._scores(query, batch, share)
        return top_list(scores, length, excluded)

    def _scores(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Scores of the catalogue, and the items that are not recommended, if there are any.

        Args:
            query: float32 [batch, width].
            batch: the users' histories.
            share: float32 [], what the bonus of the transitions is multiplied with.
        """
        # No more events than the served model has at hand.
        window = min(REACH, self._encoder.tower.max_events)
        reach = 1 if self._transitions is None else window
        own = batch.own if self._own else None
        inputs = cut_inputs(self._columns, batch.starts, batch.ends, reach, own)
        scores = self._encoder.catalogue.logits(query, own_items_in(inputs))
        if self._transitions is not None:
            scores = self._transitions.raise_scores(scores, inputs[features.ITEM], share)
        if not self._encoder.exclude_seen:
            return scores, None
        seen = cut_inputs(self._columns, batch.starts, batch.ends, 1, batch.seen)
        return scores, seen[OWN_ITEM]
