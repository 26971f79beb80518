"""Bayesian personalised ranking of a matrix factorisation, by the library `implicit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from implicit.cpu.bpr import BayesianPersonalizedRanking

from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.compared_models import BPR
from trainer.evaluation.peers.fold_in import FoldIn
from trainer.evaluation.peers.peer import Judge, Peer, PeerModel
from trainer.evaluation.peers.user_items import user_items


@dataclass(frozen=True)
class BprConstants:
    """What BPR leaves open.

    Attributes:
        epochs: passes over the pairs of users and items.
        factors: width of the vectors.
        learning_rate: of the gradient steps.
        regularization: of the vectors.
    """

    epochs: int = 30
    factors: int = 64
    learning_rate: float = 0.05
    regularization: float = 0.01

    def __str__(self) -> str:
        return (
            f"{self.epochs} epochs, {self.factors} factors, learning rate {self.learning_rate:g}, "
            f"regularization {self.regularization:g}"
        )


class Bpr(Peer[BprConstants]):
    """Ranks items by the product of a user's and an item's vector, plus the item's bias.

    Rendle, Freudenthaler, Gantner and Schmidt-Thieme, "BPR: Bayesian Personalized Ranking from
    Implicit Feedback" (UAI 2009). Vectors of judged users come from `FoldIn`.

    Args:
        training: the training log.
        seed: of the first vectors and of the pairs that are drawn.
    """

    kind = BPR
    start = BprConstants()
    grid: dict[str, Sequence[Any]] = {
        "learning_rate": (0.01, 0.05),
        "epochs": (10, 30, 100),
        "regularization": (0.001, 0.01, 0.1),
        "factors": (32, 64, 128),
    }

    def __init__(self, training: EventLog, seed: int) -> None:
        self._history = user_items(training)
        self._seed = seed

    def fit(self, constants: BprConstants, judge: Judge) -> PeerModel:
        """See `Peer.fit`."""
        solver = BayesianPersonalizedRanking(
            factors=constants.factors,
            learning_rate=constants.learning_rate,
            regularization=constants.regularization,
            iterations=constants.epochs,
            # Threads would take their steps in an order of their own each time.
            num_threads=1,
            random_state=self._seed,
        )
        solver.fit(self._history, show_progress=False)
        # The last column of the items is their bias, that of the users is 1.
        fold_in = FoldIn(solver.user_factors, solver.item_factors, self._history)

        def model(log: EventLog) -> npt.NDArray[np.floating]:
            users = fold_in(user_items(log)).astype(np.float32)
            return users @ solver.item_factors.T

        return model
