"""The training users whom others are compared with, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.evaluation.baselines.baseline import Baseline, C, NotApplicable
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.compared_models import title

Indices = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

_MOST_USERS = 10_000
_MOST_PRODUCTS = 3_000_000_000
"""Items that two users have in common, over all pairs of them: about 10 ns each."""


class UserNeighbours(Baseline[C]):
    """A rule that compares users. A user of the training log is a neighbour of itself.

    Args:
        training: the training log.
        places: order of the items without a score, see `catalogue_places`.
        seed: draws the candidates where there are too many.

    Raises:
        NotApplicable: there are no baskets, or the log is too large.
    """

    search_users = 400

    def __init__(self, training: EventLog, places: Indices, seed: int) -> None:
        self._items = training.items
        self._places = places
        self._candidates = candidate_neighbours(training, title(self.kind), seed)
        self._kept: dict[Any, sp.csr_matrix] = {}

    def _others(self, read: Callable[[EventLog, Any], sp.csr_matrix], how: Any) -> sp.csr_matrix:
        """The candidates as a function reads them, [candidates, items + 1]; read once."""
        if how not in self._kept:
            self._kept[how] = read(self._candidates, how)
        return self._kept[how]


def candidate_neighbours(training: EventLog, kind: str, seed: int) -> EventLog:
    """The training users that can be neighbours: all, or so many drawn at random.

    Args:
        training: the training log.
        kind: of the recommender, for the message.
        seed: of the draw.

    Raises:
        NotApplicable: no instant holds several items, or the users have too much in common.
    """
    if not training.has_baskets:
        raise NotApplicable(f"no instant holds several items; {kind} is for baskets")
    candidates = training
    if len(training) > _MOST_USERS:
        drawn = np.random.default_rng(seed).choice(len(training), _MOST_USERS, replace=False)
        candidates = EventLog(training.histories.take(np.sort(drawn)), training.items)
    width = training.items + 1
    users_of, candidates_of = (
        np.bincount(log.distinct.indices, minlength=width).astype(np.float64)
        for log in (training, candidates)
    )
    products = float(users_of @ candidates_of)
    if products > _MOST_PRODUCTS:
        raise NotApplicable(
            f"pairs of users have {products:.2g} items in common; {kind} takes at most "
            f"{_MOST_PRODUCTS:.2g}"
        )
    return candidates


def with_neighbours(
    own: sp.csr_matrix, own_weight: float, others: sp.csr_matrix, weights: sp.csr_matrix
) -> sp.csr_matrix:
    """Each user's own scores and those of its neighbours, weighted and added up.

    Args:
        own: [users, items + 1].
        own_weight: of the own scores.
        others: [candidates, items + 1].
        weights: [users, candidates].

    Returns:
        float32 [users, items + 1]: rounded, so that the order of a sum decides no tie.
    """
    # One product instead of a product and a sum, which would have to sort the entries first.
    own_weights = sp.identity(own.shape[0], format="csr") * own_weight
    both = sp.hstack([own_weights, weights], format="csr") @ sp.vstack([own, others], format="csr")
    return both.astype(np.float32)


def strongest(weights: Values, neighbours: int) -> sp.csr_matrix:
    """Only the largest weights of each row.

    Args:
        weights: float64 [users, candidates].
        neighbours: how many are kept.

    Returns:
        [users, candidates] with that many entries a row, or all of them.
    """
    users, candidates = weights.shape
    kept = min(neighbours, candidates)
    order = np.arange(candidates)[None].repeat(users, axis=0)
    if kept < candidates:
        order = np.argpartition(weights, candidates - kept, axis=1)[:, candidates - kept :]
    data = np.take_along_axis(weights, order, axis=1)
    splits = np.arange(users + 1) * kept
    return sp.csr_matrix((data.ravel(), order.ravel(), splits), weights.shape)
