"""Specialists that know something, and some that know nothing, without any training."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.data.histories import Histories
from trainer.encoder.catalogue import Catalogue
from trainer.evaluation.ranking import target_rank, top_list

ITEMS, WIDTH, USERS = 60, 8, 400


def planted_specialists():
    """Two clusters; specialists know their own cluster's next items, the global encoder less."""
    rng = np.random.default_rng(0)
    catalogue = Catalogue(items=ITEMS, categories=0, own_items=False, width=WIDTH)
    catalogue.build()
    table = rng.normal(size=(ITEMS + 2, WIDTH)).astype(np.float32)
    catalogue.item_embedding.embeddings.assign(table)
    targets = rng.integers(1, ITEMS + 1, USERS).astype(np.int32)
    cluster = np.arange(USERS) % 2
    membership = np.where(cluster[:, None] == [[0, 1]], 0.9, 0.1).astype(np.float32)
    histories = Histories(
        {name: np.ones(USERS, np.int32) for name in features.EVENT_COLUMNS},
        splits=np.arange(USERS + 1),
        targets=targets,
        target_splits=np.arange(USERS + 1),
        first_target=np.ones(USERS, np.int64),
    )

    def noise(scale):
        return rng.normal(0, scale, (USERS, WIDTH)).astype(np.float32)

    def rank_of(queries):
        return target_rank(catalogue.logits(tf.constant(queries)), tf.constant(targets)).numpy()

    def lists_of(queries, k):
        return top_list(catalogue.logits(tf.constant(queries)), k).numpy()

    wanted = table[targets]
    knows = [np.where(cluster[:, None] == k, wanted, 0) + noise(1.0) for k in (0, 1)]
    return SimpleNamespace(
        catalogue=catalogue,
        histories=histories,
        membership=membership,
        rank_of=rank_of,
        lists_of=lists_of,
        useful=np.stack([0.3 * wanted + noise(1.0), *knows]).astype(np.float32),
        useless=np.stack([wanted + noise(0.3), noise(2.0), noise(2.0)]).astype(np.float32),
    )
