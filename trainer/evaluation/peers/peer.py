"""What all peers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from trainer.evaluation.baselines.event_log import EventLog

C = TypeVar("C")

PeerModel = Callable[[EventLog], npt.NDArray[np.floating]]
"""A trained peer: the log of some users to floats [users, items], the score of item `i` at
`[:, i - 1]`; the higher, the better. It knows the users by their histories alone."""
Judge = Callable[[PeerModel], float]
"""How good a model is on validation users: the higher, the better; NaN without users."""


class Peer(ABC, Generic[C]):
    """One kind of recommender, to be trained on the training log.

    What a kind leaves open, its *constants*, are given when it is trained.

    Attributes:
        kind: its key in `compared_models`.
        start: the constants that a search starts with.
        grid: what a search tries, by the field of the constants.
    """

    kind: ClassVar[str]
    start: C
    grid: Mapping[str, Sequence[Any]]

    @abstractmethod
    def fit(self, constants: C, judge: Judge) -> PeerModel:
        """Trains a model. The same seed and constants give the same one.

        Args:
            constants: what the kind leaves open.
            judge: for those that stop early.
        """
