"""What each user contributes to the measures of a shelf.

A shelf is judged by those held-out items that belong on it, over the users who have any: the items
that a user had before on the own shelf, the others on the new shelf.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from trainer.evaluation.baskets import Baskets
from trainer.evaluation.metrics import basket_values
from trainer.shelves import NEW, OWN, Shelf

SHELVES: tuple[Shelf, Shelf] = (OWN, NEW)
RECALL = "recall@10"
NDCG = "ndcg@10"
RECALL_IN_ALL = "recall_in_all@10"
"""Recall of the shelf's items in the list of all: the repeat and explore recall of Li et al. (2023,
"A Next Basket Recommendation Reality Check")."""
SHELF_MEASURES = (RECALL, NDCG, RECALL_IN_ALL)
"""Of the shelf's list, apart from the last one."""


def shelf_column(model: str, shelf: Shelf, measure: str) -> str:
    """Name of a column of `shelf_values`."""
    return f"{model}_{shelf}_{measure}"


def shelf_values(
    model: str, held_out: np.ndarray, on_shelf: np.ndarray, baskets: Baskets
) -> list[pl.Series]:
    """The columns of a model, float64 [users], null for users without such an item.

    Args:
        model: its key.
        held_out: int [items], rank of each item of the baskets in the list of all; 0 if it is not
            listed.
        on_shelf: int [items], the same on the shelf that the item stands on.
        baskets: what the users took next.
    """
    found = []
    for shelf, belongs in ((OWN, baskets.own), (NEW, ~baskets.own)):
        splits = np.concatenate([[0], np.cumsum(belongs)])[baskets.splits]
        for measure, ranks, metric in (
            (RECALL, on_shelf, "basket_recall@10"),
            (NDCG, on_shelf, "basket_ndcg@10"),
            (RECALL_IN_ALL, held_out, "basket_recall@10"),
        ):
            values = basket_values(ranks[belongs], splits, metric)
            found.append(pl.Series(shelf_column(model, shelf, measure), values, nan_to_null=True))
    return found
