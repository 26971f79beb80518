"""TIFU-KNN: how often a user had an item, with two decays, and how often the neighbours had it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.sparse_ranks import ItemScores
from trainer.evaluation.baselines.user_neighbours import UserNeighbours, strongest, with_neighbours
from trainer.evaluation.compared_models import TIFU_KNN


@dataclass(frozen=True)
class Fading:
    """How much the baskets of a history count.

    Attributes:
        groups: the history is cut into about so many groups of equally many baskets.
        basket_decay: what a basket counts of the next one in its group.
        group_decay: what a group counts of the next one.
    """

    groups: int
    basket_decay: float
    group_decay: float


_FADING = (Fading(10, 0.95, 0.8), Fading(3, 0.9, 0.6), Fading(7, 0.9, 0.7))


@dataclass(frozen=True)
class TifuKnnConstants:
    """What TIFU-KNN leaves open.

    Attributes:
        fading: how much the baskets of a history count.
        own_share: weight of the user's own vector; the neighbours' mean has the rest.
        neighbours: how many there are.
    """

    fading: Fading = _FADING[0]
    own_share: float = 0.5
    neighbours: int = 100

    def __str__(self) -> str:
        fading = self.fading
        return (
            f"{self.neighbours} neighbours, {fading.groups} groups, decays "
            f"{fading.basket_decay:g} and {fading.group_decay:g}, own share {self.own_share:g}"
        )


class TifuKnn(UserNeighbours[TifuKnnConstants]):
    """Ranks items by the user's vector and the mean vector of the nearest training users.

    Temporal-item-frequency-based user k-nearest neighbours (Hu, He, Gao and Zhang, "Modeling
    Personalized Item Frequency Information for Next-basket Recommendation", SIGIR 2020). The groups
    are counted from the latest basket back, so that the oldest one may be smaller.
    """

    kind = TIFU_KNN
    start = TifuKnnConstants()
    grid: dict[str, Sequence[Any]] = {
        "fading": _FADING,
        "own_share": (0.2, 0.35, 0.5, 0.7),
        "neighbours": (100, 300),
    }

    def scores(self, log: EventLog, constants: Sequence[TifuKnnConstants]) -> Iterator[ItemScores]:
        """See `Baseline.scores`."""
        fading, neighbours = None, 0
        for each in constants:
            if each.fading != fading:
                fading, neighbours = each.fading, 0
                own, others = user_vectors(log, fading), self._others(user_vectors, fading)
                distances = squared_distances(own, others)
            if each.neighbours != neighbours:
                neighbours = each.neighbours
                nearest = strongest(-distances, neighbours)
                nearest.data[:] = 1.0 / max(1, min(neighbours, distances.shape[1]))
            weights = nearest * (1 - each.own_share)
            scores = with_neighbours(own, each.own_share, others, weights)
            yield ItemScores(scores, self._places)


def user_vectors(log: EventLog, fading: Fading) -> sp.csr_matrix:
    """How much each user has to do with each item.

    Returns:
        float64 [users, items + 1]: the mean over a user's groups of the mean over a group's
        baskets, both decayed.
    """
    baskets = log.instants[log.user]
    size = -(-baskets // fading.groups)
    group, place = np.divmod(log.instants_ago, size)
    in_group = np.minimum(size, baskets - group * size)
    groups = -(-baskets // size)
    weights = fading.basket_decay**place / in_group * fading.group_decay**group / groups
    return log.sums(weights * log.in_basket)


def squared_distances(vectors: sp.csr_matrix, others: sp.csr_matrix) -> npt.NDArray[np.float64]:
    """float64 [users, others], squared Euclidean distances."""
    product = (vectors @ others.T).toarray()
    lengths, other_lengths = (
        np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel() for matrix in (vectors, others)
    )
    return lengths[:, None] + other_lengths[None, :] - 2 * product
