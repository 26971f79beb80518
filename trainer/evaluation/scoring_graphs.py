"""The graphs that score histories with one encoder, each traced once for all splits and users."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from trainer.clusters.representation import Representation, query_and_representation
from trainer.data import features
from trainer.data.encoder_inputs import OWN_ACTION, OWN_ITEM, OWN_TIME, cut_inputs
from trainer.data.item_transitions import REACH, ItemTransitions, TransitionBonus
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.own_items import FlatOwnItems, summarise
from trainer.evaluation.ranking import target_rank, top_list, top_of_items
from trainer.graphs import graph_of_any_rows
from trainer.inference.own_members import OwnMembers
from trainer.shelves import ALL, NEW, OWN, Shelf


class Batch(NamedTuple):
    """Histories that are scored at once, cut from the flat columns.

    Attributes:
        columns: event column name to [events], of all users.
        starts: int32 [batch], first event of each history.
        ends: int32 [batch], one past its last event.
        length: int32 [], the window that the encoder reads of them.
        own: int32 [], the window of their own items.
        seen: int32 [], the window of the items that may be excluded as seen.
        own_items: of the users, where they are scored; see `ScoringGraphs.own_items`.
    """

    columns: dict[str, tf.Tensor]
    starts: tf.Tensor
    ends: tf.Tensor
    length: tf.Tensor
    own: tf.Tensor
    seen: tf.Tensor
    own_items: FlatOwnItems | tuple[()] = ()


class ScoringGraphs:
    """What `Scorer` computes for a batch.

    Args:
        encoder: whose weights at the time of a call are used.
        transitions: raise scores beside the encoder, None if nothing does.
    """

    def __init__(self, encoder: BehaviorEncoder, transitions: ItemTransitions | None) -> None:
        self._encoder = encoder
        self._transitions = TransitionBonus(transitions) if transitions else None
        self._of_encoder: dict[Any, Callable[..., Any]] = {}
        self._own = graph_of_any_rows(self._own_batch)
        self._rank = graph_of_any_rows(self._rank_batch)
        self._list = {
            shelf: graph_of_any_rows(functools.partial(self._list_batch, shelf))
            for shelf in (ALL, OWN, NEW)
        }
        self._show = graph_of_any_rows(self._show_batch)

    def with_transitions(self, transitions: ItemTransitions | None) -> ScoringGraphs:
        """The same encoder with other transitions, or none; what is traced of it is shared."""
        graphs = ScoringGraphs(self._encoder, transitions)
        graphs._of_encoder, graphs._own = self._of_encoder, self._own
        return graphs

    def own_items(self, batch: Batch) -> FlatOwnItems:
        """The users' own items. To count them costs ten times what scoring the catalogue does."""
        return self._own(batch)

    def encode(self, kind: Representation, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """Queries and representations of a kind, see `query_and_representation`."""
        return self._function(self._encode_batch, kind)(batch)

    def change(self, specialist: OwnMembers, query: tf.Tensor, batch: Batch) -> tf.Tensor:
        """A specialist's queries float32 [batch, width], beside the encoder's."""
        return self._function(self._change_batch, specialist)(query, batch)

    def rank(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor, targets: tf.Tensor
    ) -> tf.Tensor:
        """int32 [batch], see `target_rank`.

        Args:
            query: float32 [batch, width].
            batch: the users' histories.
            share: float32 [], what the bonus of the transitions is multiplied with.
            targets: int32 [batch] item indices.
        """
        return self._rank(query, batch, share, targets)

    def list(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor, k: tf.Tensor, shelf: Shelf
    ) -> tf.Tensor:
        """int32 [batch, k], see `top_list`; arguments as for `rank`, `k` int32 []."""
        return self._list[shelf](query, batch, share, k)

    def show(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor, targets: tf.Tensor, k: tf.Tensor
    ) -> tuple[tf.Tensor, dict[Shelf, tf.Tensor]]:
        """`rank`, and the lists of k items of every shelf, from the same scores.

        Returns:
            int32 [batch]; and int32 [batch, k] by shelf, only `ALL` where seen items are excluded.
        """
        return self._show(query, batch, share, targets, k)

    def _function(self, function: Callable[..., Any], first: Any) -> Callable[..., Any]:
        """The graph of a function of the encoder for a first argument that is no tensor."""
        if first not in self._of_encoder:
            self._of_encoder[first] = graph_of_any_rows(functools.partial(function, first))
        return self._of_encoder[first]

    def _encode_batch(self, kind: Representation, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        inputs = cut_inputs(batch.columns, batch.starts, batch.ends, batch.length, None)
        return query_and_representation(self._encoder, inputs, kind)

    def _change_batch(self, specialist: OwnMembers, query: tf.Tensor, batch: Batch) -> tf.Tensor:
        inputs = cut_inputs(batch.columns, batch.starts, batch.ends, batch.length, None)
        vectors = self._encoder.catalogue(inputs[features.ITEM], inputs[features.CATEGORY])
        return query + specialist.change(inputs, vectors, query)

    def _rank_batch(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor, targets: tf.Tensor
    ) -> tf.Tensor:
        scores, excluded = self._scores(query, batch, share)
        return target_rank(scores, targets, excluded)

    def _list_batch(
        self, shelf: Shelf, query: tf.Tensor, batch: Batch, share: tf.Tensor, k: tf.Tensor
    ) -> tf.Tensor:
        scores, excluded = self._scores(query, batch, share)
        if shelf == ALL:
            return top_list(scores, k, excluded)
        return _of_shelf(shelf, scores, k, self._seen(batch))

    def _show_batch(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor, targets: tf.Tensor, k: tf.Tensor
    ) -> tuple[tf.Tensor, dict[Shelf, tf.Tensor]]:
        scores, excluded = self._scores(query, batch, share)
        lists = {ALL: top_list(scores, k, excluded)}
        if excluded is None:
            seen = self._seen(batch)
            lists |= {shelf: _of_shelf(shelf, scores, k, seen) for shelf in (OWN, NEW)}
        return target_rank(scores, targets, excluded), lists

    def _own_batch(self, batch: Batch) -> FlatOwnItems:
        inputs = cut_inputs(batch.columns, batch.starts, batch.ends, 1, batch.own)
        own = summarise(inputs[OWN_ITEM], inputs[OWN_TIME], inputs[OWN_ACTION])
        return FlatOwnItems.of(own)

    def _seen(self, batch: Batch) -> tf.Tensor:
        """int32 [batch, seen], items of the histories."""
        window = cut_inputs(batch.columns, batch.starts, batch.ends, 1, batch.seen)
        return window[OWN_ITEM]

    def _scores(
        self, query: tf.Tensor, batch: Batch, share: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Scores of the catalogue, and the items that are not recommended, if there are any."""
        # No more events than the served model has at hand.
        window = min(REACH, self._encoder.tower.max_events)
        reach = 1 if self._transitions is None else window
        inputs = cut_inputs(batch.columns, batch.starts, batch.ends, reach, None)
        own = batch.own_items.padded() if batch.own_items else None
        scores = self._encoder.catalogue.logits(query, own)
        if self._transitions is not None:
            scores = self._transitions.raise_scores(scores, inputs[features.ITEM], share)
        return scores, self._seen(batch) if self._encoder.exclude_seen else None


def _of_shelf(shelf: Shelf, scores: tf.Tensor, k: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
    """int32 [batch, k], the best of the items that were seen, or of the others."""
    return top_of_items(scores, k, seen) if shelf == OWN else top_list(scores, k, seen)
