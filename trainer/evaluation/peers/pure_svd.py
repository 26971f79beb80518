"""PureSVD: histories projected onto the main directions of all histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import svds

from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.compared_models import PURE_SVD
from trainer.evaluation.peers.peer import Judge, Peer, PeerModel
from trainer.evaluation.peers.user_items import WEIGHTINGS, Weighting, user_items

_FACTORS = (8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class PureSvdConstants:
    """What PureSVD leaves open.

    Attributes:
        factors: how many directions.
        weighting: what stands for an item that a user had.
    """

    factors: int
    weighting: Weighting = "presence"

    def __str__(self) -> str:
        return f"{self.factors} factors, {self.weighting}"


class PureSvd(Peer[PureSvdConstants]):
    """Ranks items by the history projected onto the largest right singular vectors.

    Cremonesi, Koren and Turrin, "Performance of Recommender Algorithms on Top-N Recommendation
    Tasks" (RecSys 2010). No user needs to be trained on: the scores are r V V', with r the row of
    the user.

    Args:
        training: the training log.
        seed: of the first vector of the iteration that finds the singular vectors.

    Raises:
        NotApplicable: there are too few users or items for one direction.
    """

    kind = PURE_SVD

    def __init__(self, training: EventLog, seed: int) -> None:
        self._training = training
        self._seed = seed
        # The iteration finds fewer than all directions.
        most = min(len(training), training.items) - 1
        if most < 1:
            raise NotApplicable("a decomposition needs two users and two items")
        factors = tuple(k for k in _FACTORS if k < most) or (most,)
        self.start = PureSvdConstants(factors[len(factors) // 2])
        self.grid: dict[str, Sequence[Any]] = {"weighting": WEIGHTINGS, "factors": factors}
        self._most = factors[-1]
        self._found: dict[Weighting, npt.NDArray[np.float64]] = {}

    def fit(self, constants: PureSvdConstants, judge: Judge) -> PeerModel:
        """See `Peer.fit`."""
        directions = self._directions(constants.weighting)[: constants.factors]

        def model(log: EventLog) -> npt.NDArray[np.floating]:
            history = user_items(log, constants.weighting).astype(np.float64)
            return (history @ directions.T) @ directions

        return model

    def _directions(self, weighting: Weighting) -> npt.NDArray[np.float64]:
        """float64 [factors, items], the right singular vectors, that of the largest value first."""
        if weighting not in self._found:
            matrix = user_items(self._training, weighting).astype(np.float64)
            first = np.random.default_rng(self._seed).normal(size=min(matrix.shape))
            _, values, vectors = svds(matrix, k=self._most, v0=first)
            self._found[weighting] = vectors[np.argsort(-values)]
        return self._found[weighting]
