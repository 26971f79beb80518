"""How well a model finds what is new to its users: the measure of what is chosen for new items."""

from __future__ import annotations

import numpy as np

from trainer.evaluation.metrics import BASKET_PRIMARY, PRIMARY_CUTOFF, basket_values
from trainer.evaluation.scorer import Scorer
from trainer.shelves import NEW, Shelf


def new_items_value(scorer: Scorer, queries: np.ndarray, shelf: Shelf = NEW) -> float:
    """Mean NDCG@10 of the held-out items that are new to their users; 0 where there are none.

    Args:
        scorer: over the users.
        queries: float32 [users, width].
        shelf: what the lists have: new items, or all where a model lists no others.
    """
    lists = scorer.lists(queries, PRIMARY_CUTOFF, shelf=shelf)
    held_out = scorer.held_out
    new = ~held_out.own
    splits = np.concatenate([[0], np.cumsum(new)])[held_out.splits]
    ranks = held_out.ranks_in(lists)
    values = basket_values(ranks[new], splits, BASKET_PRIMARY)
    return float(np.nanmean(values)) if np.isfinite(values).any() else 0.0
