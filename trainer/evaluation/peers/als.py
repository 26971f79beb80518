"""Alternating least squares for implicit feedback, by the library `implicit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.compared_models import ALS
from trainer.evaluation.peers.peer import Judge, Peer, PeerModel
from trainer.evaluation.peers.user_items import WEIGHTINGS, Weighting, user_items

_ITERATIONS = 15


@dataclass(frozen=True)
class AlsConstants:
    """What alternating least squares leave open.

    Attributes:
        factors: width of the vectors.
        regularization: weight of the squared vectors.
        confidence: alpha; an item that a user had weighs 1 + alpha times what stands for it.
        weighting: what stands for it.
    """

    factors: int = 64
    regularization: float = 1.0
    confidence: float = 10.0
    weighting: Weighting = "log counts"

    def __str__(self) -> str:
        return (
            f"{self.factors} factors, regularization {self.regularization:g}, "
            f"confidence {self.confidence:g} by {self.weighting}"
        )


class Als(Peer[AlsConstants]):
    """Ranks items by the product of a user's and an item's vector.

    Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008). A
    judged user's vector is solved anew from the history, with the items' vectors as trained.

    Args:
        training: the training log.
        seed: of the first vectors.
    """

    kind = ALS
    start = AlsConstants()
    grid: dict[str, Sequence[Any]] = {
        "confidence": (0.1, 1.0, 10.0, 40.0),
        "weighting": WEIGHTINGS,
        "factors": (32, 64, 128),
        "regularization": (0.1, 1.0, 10.0, 100.0),
    }

    def __init__(self, training: EventLog, seed: int) -> None:
        self._training = training
        self._seed = seed

    def fit(self, constants: AlsConstants, judge: Judge) -> PeerModel:
        """See `Peer.fit`."""
        solver = AlternatingLeastSquares(
            factors=constants.factors,
            regularization=constants.regularization,
            alpha=1.0,
            iterations=_ITERATIONS,
            random_state=self._seed,
        )
        # The library has threads of its own; with those of BLAS beside them it is slower.
        with threadpool_limits(1, "blas"):
            solver.fit(_confidences(self._training, constants), show_progress=False)

        def model(log: EventLog) -> npt.NDArray[np.floating]:
            with threadpool_limits(1, "blas"):
                users = solver.recalculate_user(np.arange(len(log)), _confidences(log, constants))
            return users @ solver.item_factors.T

        return model


def _confidences(log: EventLog, constants: AlsConstants) -> sp.csr_matrix:
    """float32 [users, items]: c = 1 + alpha r for what a user had; 1 for all else is understood."""
    matrix = user_items(log, constants.weighting)
    matrix.data = 1 + constants.confidence * matrix.data
    return matrix
