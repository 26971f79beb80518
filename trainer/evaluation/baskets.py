"""The next basket: all items of the instant that is held out, without their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data import features
from trainer.data.histories import Histories

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Baskets:
    """The items that the users of a split took next, each item once.

    Attributes:
        items: int64 [items], item indices, ascending within a user; `catalogue + 1` is an item
            that no list can hold. Unknown items cannot be told apart: each event counts as one.
        splits: int64 [users + 1], user `u` owns `items[splits[u]:splits[u + 1]]`.
        own: bool [items], whether the user had the item before; an unknown item counts as new,
            because nobody can say which it is.
        catalogue: number of items that can be recommended.
    """

    items: Indices
    splits: Indices
    own: npt.NDArray[np.bool_]
    catalogue: int

    @classmethod
    def of(cls, histories: Histories, catalogue: int, exclude_seen: bool) -> Baskets:
        """The held-out items of some histories (an instant, as the ingestion cuts them).

        Args:
            histories: with their targets; targets of 0 are padding.
            catalogue: items 1 … catalogue can be recommended.
            exclude_seen: items of the history are never recommended. They stay in the basket, as
                items that no list can hold.
        """
        width = catalogue + 2
        keys = user_item_keys(histories.targets, histories.target_splits, width)
        keys = keys[keys % width > 0]
        known = keys % width <= catalogue
        keys = np.sort(np.concatenate([np.unique(keys[known]), keys[~known]]))
        items = keys % width
        seen = user_item_keys(histories.columns[features.ITEM], histories.splits, width)
        own = (items <= catalogue) & np.isin(keys, seen)
        if exclude_seen:
            items[own] = catalogue + 1
        splits = np.searchsorted(keys, np.arange(len(histories) + 1) * width)
        return cls(items, splits, own, catalogue)

    def ranks_in(self, lists: npt.NDArray[np.integer]) -> Indices:
        """Where the items stand in their users' lists.

        Args:
            lists: integers [users, k], distinct items, best first; 0 = no item.

        Returns:
            int64 [items], 1-based; 0 for an item that is not in the list.
        """
        users, length = lists.shape
        width = self.catalogue + 2
        listed = (np.arange(users)[:, None] * width + lists).ravel()
        order = np.argsort(listed, kind="stable")
        owner = np.repeat(np.arange(users), np.diff(self.splits))
        wanted = owner * width + self.items
        at = order[np.minimum(np.searchsorted(listed[order], wanted), listed.size - 1)]
        return np.where(listed[at] == wanted, at % length + 1, 0)


def user_item_keys(items: npt.NDArray[np.integer], splits: Indices, width: int) -> Indices:
    """One number for each pair of user and item, `user * width + item`, in the order given.

    Args:
        items: integers [events].
        splits: integers [users + 1], user `u` owns `items[splits[u]:splits[u + 1]]`.
        width: above every item; larger items count as `width - 1`, the one unknown item.
    """
    users = np.repeat(np.arange(splits.size - 1, dtype=np.int64), np.diff(splits))
    return users * width + np.minimum(items, width - 1)
