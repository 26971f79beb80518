"""UP-CF@r: which items the latest baskets held, those of the user and those of similar users."""

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
from trainer.evaluation.compared_models import UP_CF

Indices = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

_NEIGHBOURS = 300
"""The method takes all users; beyond these the power of the similarity leaves next to nothing."""


@dataclass(frozen=True)
class UpCfConstants:
    """What UP-CF@r leaves open.

    Attributes:
        baskets: r, how many of a user's latest baskets count; None = all.
        asymmetry: alpha of the asymmetric cosine; 0.5 is the cosine.
        locality: q, the power of a similarity; the larger, the more the nearest users count.
    """

    baskets: int | None = 25
    asymmetry: float = 0.5
    locality: int = 10

    def __str__(self) -> str:
        baskets = "all baskets" if self.baskets is None else f"{self.baskets} baskets"
        return f"{baskets}, asymmetry {self.asymmetry:g}, locality {self.locality}"


class UpCf(UserNeighbours[UpCfConstants]):
    """Ranks items by the shares of latest baskets that hold them, summed over similar users.

    Recency-aware user-wise popularity with collaborative filtering (Faggioli, Polato and Aiolli,
    "Recency Aware Collaborative Filtering for Next Basket Recommendation", UMAP 2020). The user
    counts with similarity 1, next to the nearest training users.
    """

    kind = UP_CF
    start = UpCfConstants()
    grid: dict[str, Sequence[Any]] = {
        "baskets": (5, 25, None),
        "locality": (10, 50),
        "asymmetry": (0.25, 0.5),
    }

    def scores(self, log: EventLog, constants: Sequence[UpCfConstants]) -> Iterator[ItemScores]:
        """See `Baseline.scores`."""
        baskets: int | None = 0
        for each in constants:
            if each.baskets != baskets:
                baskets = each.baskets
                own, others = basket_shares(log, baskets), self._others(basket_shares, baskets)
                common = (_present(own) @ _present(others).T).toarray()
            similarity = asymmetric_cosine(
                common, np.diff(own.indptr), np.diff(others.indptr), each.asymmetry
            )
            weights = strongest(similarity**each.locality, _NEIGHBOURS)
            weights.eliminate_zeros()  # who has nothing in common recommends nothing
            yield ItemScores(with_neighbours(own, 1.0, others, weights), self._places)


def basket_shares(log: EventLog, baskets: int | None) -> sp.csr_matrix:
    """Share of each user's latest baskets that hold an item.

    Args:
        log: of the users.
        baskets: how many of the latest count; None = all.

    Returns:
        float64 [users, items + 1], no entry where the share is 0.
    """
    counted = log.instants if baskets is None else np.minimum(log.instants, baskets)
    counts = (log.instants_ago < counted[log.user]) / counted[log.user]
    shares = log.sums(counts * log.in_basket)
    shares.eliminate_zeros()
    return shares


def asymmetric_cosine(common: Values, sizes: Indices, others: Indices, asymmetry: float) -> Values:
    """Similarities of sets (Aiolli 2013); 0 beside an empty set.

    Args:
        common: float64 [users, others], how many items two of them share.
        sizes: int64 [users], items of each.
        others: int64 [others].
        asymmetry: power of the user's own size; 1 minus it is that of the other's.
    """
    own_size = np.maximum(sizes, 1.0)[:, None] ** asymmetry
    other_size = np.maximum(others, 1.0)[None, :] ** (1 - asymmetry)
    return common / (own_size * other_size)


def _present(shares: sp.csr_matrix) -> sp.csr_matrix:
    """The same entries, all 1."""
    return sp.csr_matrix((np.ones(shares.nnz), shares.indices, shares.indptr), shares.shape)
