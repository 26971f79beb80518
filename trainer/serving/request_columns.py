"""Histories that come as padded columns, made what histories from examples are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer import raw_history
from trainer.data.request_checks import same_shape


def raw_columns(
    spec: Mapping[str, Any], item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor
) -> dict[str, tf.SparseTensor]:
    """Raw features of padded request columns; what a request lacks is empty.

    Args:
        spec: of all raw features, by name, see `HistoryTransform.spec`.
        item_ids: string [batch, length], "" = padding.
        actions: string, the same shape.
        timestamps: int64, the same shape.

    Returns:
        The features by name, each [batch, length of the longest history].

    Raises:
        tf.errors.InvalidArgumentError: when run, the shapes differ, see `same_shape`.
    """
    item_ids, actions, timestamps = same_shape(item_ids, actions, timestamps)
    present = tf.not_equal(item_ids, "")
    columns = {
        raw_history.ITEM_IDS: item_ids,
        raw_history.ACTIONS: actions,
        raw_history.TIMESTAMPS: timestamps,
    }
    raw = {
        name: tf.ragged.boolean_mask(column, present).to_sparse()
        for name, column in columns.items()
    }
    shape = tf.stack([tf.shape(item_ids, tf.int64)[0], 0])
    for name, feature in spec.items():
        if name not in raw:
            nothing = tf.zeros([0], feature.dtype)
            raw[name] = tf.SparseTensor(tf.zeros([0, 2], tf.int64), nothing, shape)
    return raw
