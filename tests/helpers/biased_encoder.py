"""An encoder that scores items by a bias and by vectors that mean nothing."""

from __future__ import annotations

import numpy as np

from trainer.encoder.catalogue import Catalogue
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower


def biased_encoder(bias: np.ndarray, loudness: float) -> BehaviorEncoder:
    """Own items have a bonus; histories are read in full.

    Args:
        bias: floats [items + 1]; row 0 is padding.
        loudness: standard deviation of the vectors' elements.
    """
    items = len(bias) - 1
    tower = EventTower(
        actions=0, use_time=False, use_price=False, width=8, layers=1, heads=1, feedforward=8,
        dropout=0.0, max_events=8,
    )  # fmt: skip
    catalogue = Catalogue(items=items, categories=0, own_items=True, width=8)
    made = BehaviorEncoder(catalogue, tower, exclude_seen=False, own_events=32)
    made.build()
    vectors = np.random.default_rng(0).normal(0, loudness, (items + 2, 8))
    catalogue.item_embedding.embeddings.assign(vectors)
    catalogue.item_bias.assign(bias)
    return made
