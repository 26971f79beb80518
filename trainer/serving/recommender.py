"""The served model: raw histories in, items out; a few signatures over one graph.

The Transform graph, the encoders, the mixture and the retrieval index stand in one `tf.Module`,
with ops that stock TensorFlow Serving has. Strings in, strings out. A model that may recommend
items of the history answers for each shelf too (`trainer/shelves.py`). One that was trained to be
asked for target actions may be asked for any event as well. An encoder alone has a further
signature, `represent`, from which users are clustered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_transform as tft

from trainer.clusters.mixture import Mixture
from trainer.clusters.representation import (
    POOLED,
    pool_states,
    query_and_representation,
)
from trainer.data import features
from trainer.data.encoder_inputs import (
    ASKED,
    OWN_ACTION,
    OWN_ITEM,
    OWN_TIME,
    SEEN_LIMIT,
    cut_inputs,
)
from trainer.data.history_transform import HistoryTransform
from trainer.data.item_transitions import ItemTransitions, TransitionBonus
from trainer.data.windows import padded_columns
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower
from trainer.encoder.own_items import OwnItems, own_items_in
from trainer.encoder.tower_ensemble import TowerEnsemble
from trainer.evaluation.ranking import target_rank
from trainer.graphs import graph_function
from trainer.inference.own_members import own_towers
from trainer.inference.routed_specialists import RoutedSpecialists
from trainer.inference.served_encoder import ServedEncoder
from trainer.serving.behavior_head import BehaviorHead
from trainer.serving.cell_index import Cells
from trainer.serving.request_columns import raw_columns
from trainer.serving.top_items import Raised, TopItems
from trainer.shelves import ALL, NEW, OWN, SIGNATURES

EVALUATED_ITEMS = 20
"""Length of the lists that the `evaluate` signature returns, by which models are judged. It is the
same for models that serve longer or shorter lists, so that a length is no question of quality."""
RECOMMEND_ANY = "recommend_any"
"""Signature that asks for any event. Only models with target actions have it: all that others are
asked for is any event."""


class _State(NamedTuple):
    """The encoders' results for a batch of histories."""

    query: tf.Tensor
    cluster_id: tf.Tensor
    weights: tf.Tensor
    inputs: dict[str, tf.Tensor]
    own: OwnItems | None
    """The user's own items, where they raise scores (and are not excluded)."""
    alone: tf.Tensor | None = None
    """The global encoder's query, where a behaviour head reads it."""


class Recommender(tf.Module):
    """A global encoder, alone or combined with specialists, ready to be served.

    Args:
        graph: the Transform graph that the encoder was trained with.
        encoder: the global encoder; its item table serves everyone.
        specialists: towers of the K specialists, by cluster. Those of strength 0 are not run, nor
            members that are the global encoder's.
        mixture: how they are combined; None without specialists. A request runs only the
            specialists that its users have a weight for.
        top_k: length of the recommendation lists.
        cells: for an approximate index, see `TopItems`.
        transitions: raise scores beside the encoders, None if nothing does.
        head: says in `embed` how likely a user takes some actions soon, None if nothing does.
    """

    def __init__(
        self,
        graph: tft.TFTransformOutput,
        encoder: BehaviorEncoder,
        specialists: Sequence[EventTower | TowerEnsemble] = (),
        mixture: Mixture | None = None,
        top_k: int = 20,
        cells: Cells | None = None,
        transitions: ItemTransitions | None = None,
        head: BehaviorHead | None = None,
    ) -> None:
        super().__init__(name="recommender")
        if (mixture is None) != (not specialists):
            raise ValueError("specialists and mixture go together")
        self.transform = HistoryTransform.of(graph, encoder.new_items)
        self._encoder = ServedEncoder(encoder)
        strengths = () if mixture is None else mixture.strengths
        own = [
            own_towers(specialist, encoder.tower) if strength else {}
            for specialist, strength in zip(specialists, strengths, strict=True)
        ]
        self._specialists = RoutedSpecialists(own) if any(own) else None
        self._mixture = mixture
        self._transitions = TransitionBonus(transitions) if transitions else None
        self._head = head
        self._served_items = top_k
        self._top = TopItems(
            self._encoder.catalogue,
            max(top_k, EVALUATED_ITEMS),
            cells,
            self._encoder.asked_bias,
        )
        self._item_ids = tf.constant([b"", *self.transform.item_ids], tf.string)
        # One graph each, which the signatures share: the towers are most of what is traced.
        self._encode = graph_function(self._encode_histories)
        self._recommend: dict[str, Callable[..., Any]] = {
            SIGNATURES[ALL]: graph_function(self._of_all)
        }
        if not self._encoder.exclude_seen:
            self._recommend[SIGNATURES[OWN]] = graph_function(self._of_own)
            self._recommend[SIGNATURES[NEW]] = graph_function(self._of_new)
        if self._encoder.asked_bias is not None:
            self._recommend[RECOMMEND_ANY] = graph_function(self._of_any)

    @property
    def by_columns(self) -> list[str]:
        """The signatures that take histories as columns: `recommend` and its variants."""
        return list(self._recommend)

    def signatures(self) -> dict[str, Callable[..., Any]]:
        """The functions to save: `serving_default`, `embed`, `evaluate` and those of `by_columns`.

        An encoder without specialists also has `represent`: `examples` -> float32 [batch, dim] for
        each pooled representation. It is apart from `embed` because it costs the states above all
        events.
        """
        examples = tf.TensorSpec([None], tf.string, name="examples")
        text = [tf.TensorSpec([None, None], tf.string, name=n) for n in ("item_ids", "actions")]
        times = tf.TensorSpec([None, None], tf.int64, name="timestamps")

        @graph_function(input_signature=[examples])
        def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._recommend[SIGNATURES[ALL]](self.transform.parse(examples))

        # One graph of Transform for all that take columns.
        @graph_function(input_signature=[*text, times])
        def transformed(
            item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor
        ) -> dict[str, tf.SparseTensor]:
            raw = raw_columns(self.transform.spec, item_ids, actions, timestamps)
            return self.transform(raw)

        def recommend(answer: Callable[..., Any]) -> Callable[..., Any]:
            @graph_function(input_signature=[*text, times])
            def recommend(
                item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor
            ) -> dict[str, tf.Tensor]:
                return answer(transformed(item_ids, actions, timestamps))

            return recommend

        @graph_function(input_signature=[examples])
        def embed(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            events = self.transform.parse(examples)
            state = self._encode(events)
            return {
                "embedding": state.query,
                "cluster_id": state.cluster_id,
                "cluster_weights": state.weights,
                **self._foreseen(events, state),
            }

        @graph_function(input_signature=[examples])
        def evaluate(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._evaluate(self.transform.parse(examples))

        @graph_function(input_signature=[examples])
        def represent(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            inputs = self._inputs(self.transform.parse(examples))
            states = self._encoder.states(inputs)
            return {kind: pool_states(states, inputs[features.ITEM], kind) for kind in POOLED}

        served = {
            "serving_default": serving_default,
            **{name: recommend(answer) for name, answer in self._recommend.items()},
            "embed": embed,
            "evaluate": evaluate,
        }
        return served if self._mixture is not None else {**served, "represent": represent}

    def _window(
        self, events: dict[str, tf.SparseTensor], length: int, own: int | None
    ) -> dict[str, tf.Tensor]:
        """The latest events of transformed histories, see `cut_inputs`.

        Args:
            events: transformed histories.
            length: so many events at most.
            own: so many events at most for the user's own items, None to leave them out.
        """
        items = events[features.ITEM]
        users = tf.range(items.dense_shape[0] + 1)
        # Not a RaggedTensor, which would check what Transform has just made.
        splits = tf.searchsorted(items.indices[:, 0], users, out_type=tf.int32)
        starts, ends = splits[:-1], splits[1:]
        columns = {name: events[name].values for name in features.EVENT_COLUMNS}
        columns = {
            name: tf.cast(column, tf.int32)
            if column.dtype == tf.int64 and name != features.TIME
            else column
            for name, column in columns.items()
        }
        longest = tf.maximum(tf.reduce_max(ends - starts), 1)
        own_length = None if own is None else tf.minimum(longest, own)
        return cut_inputs(
            padded_columns(columns), starts, ends, tf.minimum(longest, length), own_length
        )

    def _inputs(self, events: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        """Windows of transformed histories, as the encoders read them."""
        own = SEEN_LIMIT if self._encoder.exclude_seen else self._encoder.own_events
        return self._encoder.looked_up(self._window(events, self._encoder.max_events, own or None))

    def _seen(self, events: dict[str, tf.SparseTensor]) -> tf.Tensor:
        """int32 [batch, n], items of the latest `SEEN_LIMIT` events, which part the shelves."""
        return self._window(events, 1, SEEN_LIMIT)[OWN_ITEM]

    def _encode_histories(
        self, events: dict[str, tf.SparseTensor], any_event: bool = False
    ) -> _State:
        """Runs the encoders over transformed histories.

        Args:
            events: transformed histories.
            any_event: ask for any event. The clusters stay those of asking for a target action, by
                which users were clustered. So a combination runs the encoder twice.
        """
        inputs = asked = self._inputs(events)
        if any_event:
            asked = {**inputs, ASKED: tf.zeros([tf.shape(inputs[features.ITEM])[0]])}
        own = own_items_in(inputs) if self._encoder.own_events else None
        if self._mixture is None:
            query = self._encoder(asked)
            batch = tf.shape(query)[0]
            alone = None if self._head is None else query
            cluster, weights = tf.zeros([batch], tf.int64), tf.ones([batch, 1])
            return _State(query, cluster, weights, inputs, own, alone)
        kind = self._mixture.geometry.representation
        query, representation = query_and_representation(self._encoder, inputs, kind)
        if any_event:
            query = self._encoder(asked)
        alone = None if self._head is None else query
        cluster, weights = self._mixture.weights(representation)
        if self._specialists is not None:
            query = self._specialists.combined(query, weights[:, 1:], asked)
        return _State(query, cluster, weights, inputs, own, alone)

    def _foreseen(self, events: dict[str, tf.SparseTensor], state: _State) -> dict[str, tf.Tensor]:
        """What the behaviour head says, float32 [batch] by output; nothing without one."""
        if self._head is None:
            return {}
        latest = self._window(events, 1, self._encoder.max_events)
        return self._head(state.alone, latest[OWN_ACTION], latest[OWN_TIME])

    def _top_items(self, state: _State, any_event: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        raised = self._raised(state)
        if state.own is not None:
            return self._top.with_bonus(state.query, state.own, raised, any_event)
        return self._top.without(state.query, state.inputs.get(OWN_ITEM), raised, any_event)

    def _raised(self, state: _State) -> Raised | None:
        """What follows the user's latest items, and what goes with them, where these are raised."""
        parts = []
        if self._transitions is not None:
            parts.append(self._transitions.bonus(state.inputs[features.ITEM]))
        if state.own is not None:
            near = self._encoder.catalogue.neighbour_bonus(state.own)
            parts += [] if near is None else [near]
        if not parts:
            return None
        item, bonus = (tf.concat(part, axis=1) for part in zip(*parts, strict=True))
        return item, bonus

    def _of_all(self, events: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        state = self._encode(events)
        return self._answer(state, *self._top_items(state))

    def _of_own(self, events: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        state = self._encode(events)
        found = self._top.only(state.query, self._seen(events), state.own, self._raised(state))
        return self._answer(state, *found)

    def _of_new(self, events: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        state = self._encode(events)
        found = self._top.without(state.query, self._seen(events), self._raised(state))
        return self._answer(state, *found)

    def _of_any(self, events: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        state = self._encode_histories(events, any_event=True)
        return self._answer(state, *self._top_items(state, any_event=True))

    def _answer(self, state: _State, items: tf.Tensor, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "item_ids": tf.gather(self._item_ids, items[:, : self._served_items]),
            "scores": scores[:, : self._served_items],
            "cluster_id": state.cluster_id,
            "cluster_weights": state.weights,
        }

    def _evaluate(self, events: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        state = self._encode(events)
        catalogue = self._encoder.catalogue
        targets = tf.RaggedTensor.from_sparse(events[features.TARGET])
        first = targets[:, :1].to_tensor(shape=[None, 1])[:, 0]
        excluded = state.inputs[OWN_ITEM] if self._encoder.exclude_seen else None
        scores = catalogue.logits(state.query, state.own)
        if self._transitions is not None:
            scores = self._transitions.raise_scores(scores, state.inputs[features.ITEM])
        rank = target_rank(scores, first, excluded)
        items = self._top_items(state)[0][:, :EVALUATED_ITEMS]
        batch = tf.shape(rank)[0]
        return {
            "rank": tf.cast(rank, tf.float32),
            "recommended": tf.gather(self._item_ids, items),
            "catalogue_size": tf.fill([batch], tf.constant(catalogue.items, tf.int64)),
            "cluster_id": state.cluster_id,
        }
