"""A small recommender of random weights over the tiny shop, for tests that ask a served model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.embedding_space import EmbeddingSpace
from trainer.clusters.mixture import Mixture
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.config import EncoderConfig
from trainer.data.data_facts import DataFacts
from trainer.data.histories import read_histories
from trainer.data.item_features import ItemFeatures
from trainer.encoder.build_encoder import build_encoder


def tiny_encoder(shop: Any, serving: Any) -> Any:
    """An encoder of random weights; the same every time.

    Args:
        shop: the `tiny_shop`.
        serving: the ServingConfig that it is built for.
    """
    keras.utils.set_random_seed(5)
    facts = DataFacts.of(read_histories(shop.validation, shop.graph), shop.graph)
    config = EncoderConfig(
        width=8, members=1, layers=1, feedforward=16, max_events=8, own_events=16
    )
    encoder = build_encoder(facts, config, serving, ItemFeatures.none(facts.items, "no texts"))
    rng = np.random.default_rng(0)
    for weight in encoder.catalogue.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return encoder


def tiny_mixture(
    clusters: int = 2, per_user: int = 1, strength: float = 0.5, width: int = 8
) -> Any:
    """A mixture over `clusters` specialists of one strength; `width` is the encoder's."""
    rng = np.random.default_rng(1)
    rule = NearestPrototype.of_groups(list(rng.normal(size=(clusters, 1, width))), 0.7)
    geometry = ClusterGeometry(EmbeddingSpace(True), rule)
    return Mixture(geometry, np.full(clusters, strength, np.float32), per_user)
