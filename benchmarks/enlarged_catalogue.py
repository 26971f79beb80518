"""An encoder over more items than it was trained on, to see what large catalogues cost to serve.

The new items are made up: each stands between a trained item and one of its ten nearest, with
noise, so that vectors, biases and scores are spread like the trained ones. What is measured on them
is time, and how well an approximate index finds the best of *these* items.
"""

from __future__ import annotations

import numpy as np

from trainer.encoder.catalogue import Catalogue
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.tower_ensemble import TowerEnsemble, members_of

NEIGHBOURS = 10
NOISE = 0.3
"""Of the standard deviation of the trained coordinates."""


def with_members(encoder: BehaviorEncoder, members: int) -> BehaviorEncoder:
    """The first members of an encoder, as one that was configured so would be.

    Raises:
        SystemExit: the encoder scores own items, which reads the whole query.
    """
    towers = members_of(encoder.tower)[:members]
    if len(towers) == encoder.members:
        return encoder
    if encoder.catalogue.repeat_bonus is not None:
        raise SystemExit("this run scores own items; give one with encoder.members=2 or less")
    known = encoder.as_of_log_end().catalogue
    width = sum(tower.width for tower in towers)
    catalogue = Catalogue(known.items, known.categories, False, width)
    catalogue.build()
    catalogue.item_embedding.embeddings.assign(known.item_embedding.embeddings[:, :width])
    catalogue.item_bias.assign(known.item_bias)
    catalogue.item_category.assign(known.item_category)
    if catalogue.category_embedding is not None:
        vectors = known.category_embedding.embeddings[:, :width]
        catalogue.category_embedding.embeddings.assign(vectors)
    tower = TowerEnsemble(towers) if len(towers) > 1 else towers[0]
    narrow = BehaviorEncoder(
        catalogue, tower, encoder.exclude_seen, encoder.own_events, encoder.new_items
    )
    narrow.build()
    return narrow


def enlarged(encoder: BehaviorEncoder, items: int, seed: int) -> BehaviorEncoder:
    """The same encoder with `items` items; not changed where it has as many already."""
    encoder = encoder.as_of_log_end()
    more = items - encoder.catalogue.items
    if more <= 0:
        return encoder
    rng = np.random.default_rng(seed)
    table = encoder.catalogue.table().numpy()[1:]
    first = rng.integers(0, len(table), more)
    second = _neighbours(table[:, :-1])[first, rng.integers(0, NEIGHBOURS, more)]
    share = rng.random((more, 1), dtype=np.float32)
    rows = share * table[first] + (1 - share) * table[second]
    noise = rng.standard_normal((more, table.shape[1] - 1), dtype=np.float32)
    rows[:, :-1] += NOISE * table[:, :-1].std() * noise
    names = [*encoder.new_items, *(f"made-up-{i}" for i in range(more))]
    large = encoder.with_features_folded_in(
        names, np.zeros((more, 0), np.float32), np.zeros(0, np.int64)
    )
    vectors = large.catalogue.item_embedding.embeddings.numpy()
    vectors[len(table) + 1 : -1] = rows[:, :-1]
    if large.catalogue.category_embedding is not None:
        # New items have the category 0, whose vector is added when they are looked up.
        vectors[len(table) + 1 : -1] -= large.catalogue.category_embedding.embeddings.numpy()[0]
    large.catalogue.item_embedding.embeddings.assign(vectors)
    bias = large.catalogue.item_bias.numpy()
    bias[len(table) + 1 :] = rows[:, -1]
    large.catalogue.item_bias.assign(bias)
    return large


def _neighbours(vectors: np.ndarray) -> np.ndarray:
    """The rows nearest in direction to each row, int64 [rows, NEIGHBOURS]."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    parts = []
    for at in range(0, len(unit), 2048):
        likeness = unit[at : at + 2048] @ unit.T
        likeness[np.arange(len(likeness)), at + np.arange(len(likeness))] = -np.inf
        parts.append(np.argpartition(-likeness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS])
    return np.concatenate(parts)
