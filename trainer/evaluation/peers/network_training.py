"""Training that ends when validation users gain no more, for the peers that are networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.peers.peer import Judge, PeerModel
from trainer.graphs import graph_function


@dataclass(frozen=True)
class NetworkConstants:
    """What a network leaves open.

    Attributes:
        width: of its vectors.
        learning_rate: of Adam.
    """

    width: int
    learning_rate: float

    def __str__(self) -> str:
        return f"width {self.width}, learning rate {self.learning_rate:g}"


class Network(Protocol):
    """What is trained."""

    weights: list[keras.Variable]

    def loss(self, batch: Any) -> tf.Tensor:
        """Of a batch, a scalar."""

    def scores(self, log: EventLog) -> np.ndarray:
        """See `PeerModel`."""


def train_network(
    network: Network,
    optimizer: keras.optimizers.Optimizer,
    batches: Callable[[], Iterable[Any]],
    judge: Judge,
    most: int,
    patience: int,
) -> PeerModel:
    """Runs epochs until some in a row brought nothing, and ends with the best weights.

    Args:
        network: the weights as they are at the start.
        optimizer: takes a step for each batch.
        batches: those of an epoch, each a tuple of tensors.
        judge: the higher, the better.
        most: epochs.
        patience: so many epochs without a gain end it.
    """
    optimizer.build(network.weights)

    def step(batch: Any) -> None:
        with tf.GradientTape() as tape:
            loss = network.loss(batch)
        sources = [weight.value for weight in network.weights]
        optimizer.apply(tape.gradient(loss, sources), network.weights)

    compiled = graph_function(step, reduce_retracing=True)
    best, waited = -np.inf, 0
    kept = [weight.numpy() for weight in network.weights]
    for _ in range(most):
        for batch in batches():
            compiled(batch)
        found = float(np.nan_to_num(judge(network.scores), nan=-1.0))
        if found > best:
            best, waited = found, 0
            kept = [weight.numpy() for weight in network.weights]
        else:
            waited += 1
            if waited == patience:
                break
    for weight, values in zip(network.weights, kept, strict=True):
        weight.assign(values)
    return network.scores
