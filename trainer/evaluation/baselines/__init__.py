"""Recommenders that are counted, not trained: what a trained one has to be better than.

A kind is one file with one `Baseline`. `selection.py` chooses the best of each on validation.
"""

from __future__ import annotations

from trainer.evaluation.baselines.catalogue_order import item_counts
from trainer.evaluation.baselines.served_ranks import own_items_ranks, popularity_ranks

__all__ = ["item_counts", "own_items_ranks", "popularity_ranks"]
