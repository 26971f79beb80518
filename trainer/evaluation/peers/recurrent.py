"""Next-item models with a recurrent network over the latest events: GRU and LSTM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.catalogue_order import item_counts
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.compared_models import GRU, LSTM
from trainer.evaluation.peers.network_training import NetworkConstants, train_network
from trainer.evaluation.peers.next_instants import NextInstants, latest_events
from trainer.evaluation.peers.peer import Judge, Peer, PeerModel
from trainer.graphs import graph_function

_EPOCHS = 15
_PATIENCE = 2
_WINDOWS = 64
"""Windows of a batch."""
_CANDIDATES = 2048
"""Items in the denominator of the softmax; drawn where the catalogue is larger."""
_POWER = 0.75
"""Of an item's number of training events: its chance to be drawn."""
_DROPOUT = 0.25
MOST_ITEMS = 200_000


class _Recurrent(Peer[NetworkConstants]):
    """Ranks items by the product of the network's state and the item's vector, plus a bias.

    The network reads the latest 50 known events. Its loss is the softmax over the catalogue, or
    over candidates with the logQ correction. See `NextInstants` for what it is asked.

    Args:
        training: the training log.
        seed: of weights, order, dropout and candidates.

    Raises:
        NotApplicable: nobody has two instants, or the catalogue is too large.
    """

    start = NetworkConstants(width=64, learning_rate=0.003)
    grid: dict[str, Sequence[Any]] = {"width": (64, 128)}
    cell: ClassVar[Callable[..., keras.layers.Layer]]

    def __init__(self, training: EventLog, seed: int) -> None:
        if training.items > MOST_ITEMS:
            raise NotApplicable(
                f"the catalogue has {training.items:,} items; a recurrent network is trained with "
                f"at most {MOST_ITEMS:,}"
            )
        self._samples = NextInstants(training)
        if not len(self._samples):
            raise NotApplicable("no training history has two instants")
        self._counts = item_counts(training.item, training.items)
        self._seed = seed

    def fit(self, constants: NetworkConstants, judge: Judge) -> PeerModel:
        """See `Peer.fit`."""
        rng = np.random.default_rng(self._seed)
        network = _Network(self.cell, self._counts.size, constants.width, self._seed)
        optimizer = keras.optimizers.Adam(constants.learning_rate, clipnorm=1.0, name="peer")
        return train_network(
            network, optimizer, lambda: self._batches(rng), judge, _EPOCHS, _PATIENCE
        )

    def _batches(self, rng: np.random.Generator) -> Iterator[_Batch]:
        """All windows once, in an order that is drawn; candidates are drawn for each batch."""
        chance = self._counts**_POWER / (self._counts**_POWER).sum()
        cumulative = np.cumsum(chance)
        candidates = np.arange(1, self._counts.size + 1)
        correction = np.zeros(candidates.size)
        for batch in self._samples.batches(_WINDOWS, rng):
            if self._counts.size > _CANDIDATES:
                drawn = np.searchsorted(cumulative, rng.random(_CANDIDATES) * cumulative[-1])
                candidates = drawn + 1
                correction = np.log(_CANDIDATES * chance[drawn])
            yield _Batch(
                items=tf.constant(batch.items),
                position=tf.constant(batch.position, tf.int32),
                targets=tf.constant(batch.targets),
                candidates=tf.constant(candidates, tf.int32),
                correction=tf.constant(correction, tf.float32),
            )


class Gru(_Recurrent):
    """The gated recurrent unit.

    Hidasi, Karatzoglou, Baltrunas and Tikk, "Session-based Recommendations with Recurrent Neural
    Networks" (ICLR 2016), with the softmax over additional samples of Hidasi and Karatzoglou,
    "Recurrent Neural Networks with Top-k Gains for Session-based Recommendations" (CIKM 2018).
    """

    kind = GRU
    cell = keras.layers.GRU


class Lstm(_Recurrent):
    """The long short-term memory of Hochreiter and Schmidhuber (1997), trained as `Gru`."""

    kind = LSTM
    cell = keras.layers.LSTM


class _Batch(NamedTuple):
    """Some windows, see `WindowBatch`, and what their targets are told from.

    Attributes:
        items: int32 [windows, LENGTH].
        position: int32 [samples, 2].
        targets: int32 [samples, targets].
        candidates: int32 [candidates], the whole catalogue or drawn from it.
        correction: float32 [candidates], logarithm of how often each was expected to be drawn;
            zeros for the whole catalogue.
    """

    items: tf.Tensor
    position: tf.Tensor
    targets: tf.Tensor
    candidates: tf.Tensor
    correction: tf.Tensor


class _Network:
    """Items' vectors, which are also the output layer, and the recurrent layer.

    Args:
        cell: class of the recurrent layer.
        items: size of the catalogue.
        width: of state and vectors.
        seed: of all that is drawn; no global seed is touched.
    """

    def __init__(
        self, cell: Callable[..., keras.layers.Layer], items: int, width: int, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        vectors = rng.normal(0, width**-0.5, (items + 1, width)).astype(np.float32)
        self._vectors = keras.Variable(vectors, name="vectors")
        self._bias = keras.Variable(np.zeros(items + 1, np.float32), name="bias")
        self._dropout = keras.layers.Dropout(_DROPOUT, seed=seed, name="dropout")
        self._layer = cell(
            width,
            return_sequences=True,
            name="cell",
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed),
        )
        self._layer.build((None, None, width))
        self.weights = [self._vectors, self._bias, *self._layer.trainable_variables]
        self._last = graph_function(self._last_state, reduce_retracing=True)

    def states(self, items: tf.Tensor, training: bool) -> tf.Tensor:
        """float32 [batch, length, width], the state after each event; padding stands behind."""
        events = tf.gather(tf.convert_to_tensor(self._vectors), items)
        return self._layer(self._dropout(events, training=training), training=training)

    def loss(self, batch: _Batch) -> tf.Tensor:
        """The mean cross-entropy of the targets."""
        states = tf.gather_nd(self.states(batch.items, training=True), batch.position)
        vectors, bias = tf.convert_to_tensor(self._vectors), tf.convert_to_tensor(self._bias)
        own = tf.einsum("sw,stw->st", states, tf.gather(vectors, batch.targets))
        own += tf.gather(bias, batch.targets)
        others = tf.matmul(states, tf.gather(vectors, batch.candidates), transpose_b=True)
        others += tf.gather(bias, batch.candidates) - batch.correction
        total = tf.reduce_logsumexp(others, axis=1, keepdims=True)
        if batch.candidates.shape[0] != self._bias.shape[0] - 1:
            # A target that was not drawn must be in its own denominator.
            total = tf.reduce_logsumexp(tf.stack([tf.broadcast_to(total, tf.shape(own)), own]), 0)
        return tf.reduce_mean(total - own)

    def scores(self, log: EventLog) -> npt.NDArray[np.floating]:
        """float32 [users, items]; zeros for a user with no known item."""
        items, read = latest_events(log)
        state = self._last(tf.constant(items), tf.constant(np.maximum(read - 1, 0), tf.int32))
        scores = state.numpy() @ self._vectors.numpy()[1:].T + self._bias.numpy()[1:]
        scores[read == 0] = 0.0
        return scores

    def _last_state(self, items: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.states(items, training=False), place, batch_dims=1)
