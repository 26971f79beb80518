"""Ranks on the two shelves, from ranks in the list of all.

A shelf keeps the order of the list of all items and leaves the others out. So whoever knows where
a user's own items stand in that list knows every rank on both shelves: an own item stands behind
the own items that are ahead of it, and a new one moves up by the own items ahead of it. One ranking
gives all three, whatever recommender made it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data import features
from trainer.data.histories import Histories
from trainer.evaluation.baskets import Baskets, user_item_keys

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ShelfTargets:
    """What users had and what they took next: the items whose ranks are asked for at once.

    Attributes:
        targets: int64 [targets], first the own items of a user, then those of the basket.
        splits: int64 [users + 1], user `u` owns `targets[splits[u]:splits[u + 1]]`.
        baskets: what they took next.
        owned: bool [targets], whether it is one of the own items and not of the basket.

    Example:
        >>> user = np.array([0, 2])  # one user, who takes an own item, 4, and a new one, 9
        >>> baskets = Baskets(np.array([4, 9]), user, np.array([True, False]), catalogue=9)
        >>> owned = np.array([True, True, False, False])
        >>> asked = ShelfTargets(np.array([3, 4, 4, 9]), 2 * user, baskets, owned)
        >>> in_all, on_shelf = asked.ranks(np.array([1, 5, 5, 6]))
        >>> in_all.tolist(), on_shelf.tolist()
        ([5, 6], [2, 4])
    """

    targets: Indices
    splits: Indices
    baskets: Baskets
    owned: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, histories: Histories, baskets: Baskets) -> ShelfTargets:
        """The targets of some users.

        Args:
            histories: of the users, up to what is held out.
            baskets: of the same users, own items not excluded.
        """
        width = baskets.catalogue + 2
        had = np.unique(user_item_keys(histories.columns[features.ITEM], histories.splits, width))
        had = had[(had % width > 0) & (had % width <= baskets.catalogue)]
        user = np.concatenate([had // width, _owners(baskets.splits)])
        order = np.argsort(user, kind="stable")
        return cls(
            targets=np.concatenate([had % width, baskets.items])[order],
            splits=np.searchsorted(user[order], np.arange(len(histories) + 1)),
            baskets=baskets,
            owned=order < had.size,
        )

    def ranks(self, found: npt.NDArray[np.integer]) -> tuple[Indices, Indices]:
        """The ranks of the basket items.

        Args:
            found: integers [targets], 1-based rank of each in the list of all; above the catalogue
                where no list can hold it.

        Returns:
            int64 [basket items] each: the rank in the list of all, and on the shelf that the item
            stands on; 0 where no list can hold it.
        """
        width = self.baskets.catalogue + 2
        keys = _owners(self.splits) * width + np.minimum(found, width - 1)
        mine = np.sort(keys[self.owned])
        wanted = keys[~self.owned]
        ahead = np.searchsorted(mine, wanted) - np.searchsorted(mine, wanted - wanted % width)
        ranks = wanted % width
        listed = ranks <= self.baskets.catalogue
        on_shelf = np.where(self.baskets.own, ahead + 1, ranks - ahead)
        return np.where(listed, ranks, 0), np.where(listed, on_shelf, 0)


def _owners(splits: Indices) -> Indices:
    """Whose each item is."""
    return np.repeat(np.arange(splits.size - 1, dtype=np.int64), np.diff(splits))
