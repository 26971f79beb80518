"""A small ensemble of random weights, and two histories for it."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.item_features import ItemFeatures
from trainer.data.item_statistics import ItemStatistics
from trainer.encoder.build_encoder import build_encoder


def make_encoder():
    keras.utils.set_random_seed(8)
    facts = DataFacts(
        items=12,
        item_counts=np.arange(13)[::-1],
        item_statistics=ItemStatistics(np.zeros(1, np.int64), np.zeros((1, 13, 3), np.float32)),
        item_categories=np.zeros(14, np.int32),
        categories=0,
        actions=0,
        has_time=False,
        has_price=False,
        repeat_share=0.0,
    )
    config = EncoderConfig(width=8, members=3, layers=2, feedforward=16, max_events=4)
    encoder = build_encoder(facts, config, ServingConfig(), ItemFeatures.none(12, "no texts"))
    table = encoder.catalogue.item_embedding.embeddings
    table.assign(np.random.default_rng(0).normal(0, 1, table.shape))
    return encoder


def make_events():
    items = tf.constant([[3, 5, 0, 0], [1, 2, 9, 12]], tf.int32)
    return {"item": items, "category": tf.zeros_like(items)}
