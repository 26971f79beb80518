"""Neural collaborative filtering: a product and a perceptron over the vectors of user and item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.compared_models import NCF
from trainer.evaluation.peers.network_training import NetworkConstants, train_network
from trainer.evaluation.peers.peer import Judge, Peer, PeerModel
from trainer.evaluation.peers.user_items import user_items
from trainer.graphs import graph_function

_EPOCHS = 40
_PATIENCE = 4
"""The network learns first what is popular, which takes some epochs and shows no gain."""
_USERS = 64
"""Users of the largest batch; a small log has smaller ones, so that there are `_STEPS` of them."""
_STEPS = 20
_PAIRS_OF_USER = 16
"""So many items of a user are drawn for each epoch."""
_NEGATIVES = 4
_HIDDEN_AT_ONCE = 16_000_000
MOST_ITEMS = 50_000


class Ncf(Peer[NetworkConstants]):
    """Ranks items by NeuMF, the fusion of a weighted product and a perceptron.

    He, Liao, Zhang, Nie, Hu and Chua, "Neural Collaborative Filtering" (WWW 2017): cross-entropy
    with four drawn items beside each one that a user had. The paper's network has a vector for
    each training user and knows no others. Here a user's vector is made of the history: the sum of
    vectors that the items have for this purpose, divided by the root of their number (Kabbur, Ning
    and Karypis, "FISM", KDD 2013). In training, the item in question is not in the sum.

    Args:
        training: the training log.
        seed: of weights, order and drawn items.

    Raises:
        NotApplicable: the catalogue is too large.
    """

    kind = NCF
    start = NetworkConstants(width=32, learning_rate=0.002)
    grid: dict[str, Sequence[Any]] = {"learning_rate": (0.002, 0.005), "width": (32, 64)}

    def __init__(self, training: EventLog, seed: int) -> None:
        if training.items > MOST_ITEMS:
            raise NotApplicable(
                f"the catalogue has {training.items:,} items; NCF runs its perceptron for each "
                f"pair of user and item and takes at most {MOST_ITEMS:,}"
            )
        self._history = user_items(training)
        self._history.sort_indices()
        owner = np.repeat(np.arange(len(training)), np.diff(self._history.indptr))
        self._pairs = owner * training.items + self._history.indices
        self._seed = seed

    def fit(self, constants: NetworkConstants, judge: Judge) -> PeerModel:
        """See `Peer.fit`."""
        rng = np.random.default_rng(self._seed)
        network = _Network(self._history.shape[1], constants.width, self._seed)
        optimizer = keras.optimizers.Adam(constants.learning_rate, name="peer")
        return train_network(
            network, optimizer, lambda: self._batches(rng), judge, _EPOCHS, _PATIENCE
        )

    def _batches(self, rng: np.random.Generator) -> Iterator[_Batch]:
        """All users once who have two items, in an order that is drawn."""
        items = self._history.shape[1]
        had = np.diff(self._history.indptr)
        order = rng.permutation(np.flatnonzero(had > 1))
        size = max(1, min(_USERS, order.size // _STEPS))
        for begin in range(0, order.size, size):
            mine = order[begin : begin + size]
            lengths = had[mine]
            rows = self._history[mine]
            taken = np.repeat(np.arange(mine.size), np.minimum(lengths, _PAIRS_OF_USER))
            place = (rng.random(taken.size) * lengths[taken]).astype(np.int64)
            positive = rows.indices[rows.indptr[taken] + place]
            drawn = rng.integers(0, items, taken.size * _NEGATIVES)
            others = np.tile(taken, _NEGATIVES)
            # An item that the user had is no counter-example.
            pair = mine[others] * items + drawn
            at = np.minimum(np.searchsorted(self._pairs, pair), self._pairs.size - 1)
            new = self._pairs[at] != pair
            yield _Batch(
                history=tf.constant(rows.indices, tf.int32),
                owner=tf.constant(np.repeat(np.arange(mine.size), lengths), tf.int32),
                lengths=tf.constant(lengths, tf.float32),
                user=tf.constant(np.concatenate([taken, others[new]]), tf.int32),
                item=tf.constant(np.concatenate([positive, drawn[new]]), tf.int32),
                had=tf.constant(np.arange(taken.size + new.sum()) < taken.size, tf.float32),
            )


class _Batch(NamedTuple):
    """Some users, and pairs of a user and an item.

    Attributes:
        history: int32 [events], the users' items, from 0.
        owner: int32 [events], whose they are.
        lengths: float32 [users], how many each has.
        user: int32 [pairs], place of the user.
        item: int32 [pairs], from 0.
        had: float32 [pairs], 1 if the user had the item, 0 if it was drawn.
    """

    history: tf.Tensor
    owner: tf.Tensor
    lengths: tf.Tensor
    user: tf.Tensor
    item: tf.Tensor
    had: tf.Tensor


class _Network:
    """NeuMF.

    Args:
        items: size of the catalogue.
        width: of the vectors, and of the perceptron's first layer; its second one has half.
        seed: of all weights; no global seed is touched.
    """

    def __init__(self, items: int, width: int, seed: int) -> None:
        rng = np.random.default_rng(seed)

        def weight(*shape: int, scale: float) -> keras.Variable:
            return keras.Variable(rng.normal(0, scale, shape).astype(np.float32), name="peer")

        # The vectors of product and perceptron stand side by side.
        self._in_history = weight(items, 2 * width, scale=0.1)
        self._items = weight(items, 2 * width, scale=0.1)
        half = width // 2
        self._of_user = weight(width, width, scale=width**-0.5)
        self._of_item = weight(width, width, scale=width**-0.5)
        self._first_bias = weight(width, scale=0.0)
        self._second = weight(width, half, scale=(width / 2) ** -0.5)
        self._second_bias = weight(half, scale=0.0)
        self._of_product = weight(width, scale=1.0)
        self._of_perceptron = weight(half, scale=half**-0.5)
        self._bias = weight(1, scale=0.0)
        self._width = width
        self._step = max(1, _HIDDEN_AT_ONCE // (items * width))
        self.weights = [value for value in vars(self).values() if isinstance(value, keras.Variable)]
        self._score = graph_function(self._all_logits, reduce_retracing=True)

    def loss(self, batch: _Batch) -> tf.Tensor:
        """The mean cross-entropy of the pairs."""
        in_history = tf.convert_to_tensor(self._in_history)
        sums = tf.math.unsorted_segment_sum(
            tf.gather(in_history, batch.history), batch.owner, tf.size(batch.lengths)
        )
        own = tf.gather(in_history, batch.item) * batch.had[:, None]
        others = tf.gather(batch.lengths, batch.user) - batch.had
        user = (tf.gather(sums, batch.user) - own) / tf.sqrt(others)[:, None]
        item = tf.gather(tf.convert_to_tensor(self._items), batch.item)
        product = tf.linalg.matvec(
            user[:, : self._width] * item[:, : self._width], tf.convert_to_tensor(self._of_product)
        )
        logits = product + self._perceptron(self._user_part(user) + self._item_part(item))
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(batch.had, logits))

    def scores(self, log: EventLog) -> npt.NDArray[np.floating]:
        """float32 [users, items]; all alike for a user with no known item."""
        history = user_items(log)
        had = np.diff(history.indptr)
        sums = history @ self._in_history.numpy()
        users = (sums / np.sqrt(np.maximum(had, 1))[:, None]).astype(np.float32)
        parts = [
            self._score(tf.constant(users[start : start + self._step])).numpy()
            for start in range(0, len(users), self._step)
        ]
        scores = np.concatenate([*parts, np.zeros((0, history.shape[1]), np.float32)])
        scores[had == 0] = 0.0
        return scores

    def _all_logits(self, user: tf.Tensor) -> tf.Tensor:
        """float32 [users, items], for vectors of users float32 [users, 2 x width]."""
        item = tf.convert_to_tensor(self._items)
        weighted = user[:, : self._width] * tf.convert_to_tensor(self._of_product)
        product = tf.matmul(weighted, item[:, : self._width], transpose_b=True)
        hidden = self._user_part(user)[:, None] + self._item_part(item)[None]
        return product + self._perceptron(hidden)

    def _user_part(self, user: tf.Tensor) -> tf.Tensor:
        return tf.matmul(user[:, self._width :], tf.convert_to_tensor(self._of_user))

    def _item_part(self, item: tf.Tensor) -> tf.Tensor:
        return tf.matmul(item[:, self._width :], tf.convert_to_tensor(self._of_item))

    def _perceptron(self, hidden: tf.Tensor) -> tf.Tensor:
        """Floats [...] of what comes into the first layer, [..., width]."""
        first = tf.nn.relu(hidden + tf.convert_to_tensor(self._first_bias))
        second = tf.tensordot(first, tf.convert_to_tensor(self._second), 1)
        second = tf.nn.relu(second + tf.convert_to_tensor(self._second_bias))
        out = tf.tensordot(second, tf.convert_to_tensor(self._of_perceptron), 1)
        return out + tf.convert_to_tensor(self._bias)
