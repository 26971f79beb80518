"""EASE: a linear autoencoder of histories, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy import linalg

from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.compared_models import EASE
from trainer.evaluation.peers.peer import Judge, Peer, PeerModel
from trainer.evaluation.peers.user_items import user_items

Values = npt.NDArray[np.floating]

MOST = 15_000
"""Items, or users where these are fewer: a matrix of all pairs takes 0.9 GB, and three are held."""
_COLUMNS = 1024


@dataclass(frozen=True)
class EaseConstants:
    """What EASE leaves open.

    Attributes:
        regularization: lambda, weight of the squared weights.
    """

    regularization: float = 100.0

    def __str__(self) -> str:
        return f"regularization {self.regularization:g}"


class Ease(Peer[EaseConstants]):
    """Ranks items by what the items of the history give them.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019). With the histories X
    and P = (X'X + lambda I)^-1, item i gives item j the weight -P_ij / P_jj, and itself nothing.
    The weights are those of items, so that a new history needs no training.

    Where there are fewer users than items, P is not formed. It equals (I - X'KX) / lambda with
    K = (XX' + lambda I)^-1 (the matrix inversion lemma), which takes a matrix of all pairs of
    users.

    Args:
        training: the training log.
        seed: not used, nothing is drawn.

    Raises:
        NotApplicable: there are too many items, and too many users.
    """

    kind = EASE
    start = EaseConstants()
    grid: dict[str, Sequence[Any]] = {
        "regularization": (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
    }

    def __init__(self, training: EventLog, seed: int) -> None:
        if min(training.items, len(training)) > MOST:
            raise NotApplicable(
                f"the log has {training.items:,} items and {len(training):,} users; EASE inverts a "
                f"matrix of all pairs of the one or the other and takes at most {MOST:,}"
            )
        self._history = user_items(training)
        self._by_items = training.items <= len(training)

    def fit(self, constants: EaseConstants, judge: Judge) -> PeerModel:
        """See `Peer.fit`."""
        product, diagonal = (self._from_items if self._by_items else self._from_users)(
            constants.regularization
        )

        def model(log: EventLog) -> Values:
            history = user_items(log)
            # An item's own weight, 1 - P_jj / P_jj, is nothing.
            return history.toarray() - product(history) / diagonal

        return model

    def _from_items(self, regularization: float) -> tuple[Any, Values]:
        """What multiplies histories with P, and the diagonal of P, float32 [items]."""
        inverse = _regularised_inverse(self._gram, regularization)
        return (lambda history: history @ inverse), inverse.diagonal()

    def _from_users(self, regularization: float) -> tuple[Any, Values]:
        """The same from a matrix of users."""
        training = self._history
        inverse = _regularised_inverse(self._gram, regularization)
        explained = np.empty(training.shape[1], np.float32)
        columns = training.tocsc()
        for start in range(0, explained.size, _COLUMNS):
            part = columns[:, start : start + _COLUMNS]
            explained[start : start + _COLUMNS] = part.multiply(inverse @ part).sum(axis=0)

        def product(history: sp.csr_matrix) -> Values:
            common = (history @ training.T).toarray() @ inverse
            return (history.toarray() - (training.T @ common.T).T) / regularization

        return product, (1 - explained) / regularization

    @cached_property
    def _gram(self) -> npt.NDArray[np.float32]:
        """float32, how many users two items have in common, or how many items two users."""
        history = self._history if self._by_items else self._history.T
        return (history.T @ history).toarray()


def _regularised_inverse(gram: Values, regularization: float) -> Values:
    """float32 [n, n], (gram + regularization I)^-1."""
    regularised = gram.copy()
    np.fill_diagonal(regularised, regularised.diagonal() + regularization)
    return linalg.inv(regularised, overwrite_a=True, check_finite=False)
