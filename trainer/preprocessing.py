"""Transform: raw behaviour history -> integer and normalised event features.

The graph built here runs in three places from one file: over the training data, over the
evaluation data, and inside the served model. All event features come out as sparse tensors with
the positions of `item_ids`, so that event `i` is at index `i` of every one of them.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from trainer import raw_history
from trainer.config import FeaturesConfig
from trainer.data import features
from trainer.epoch_units import EPOCH_UNITS, FINEST_UNIT

_HOUR, _DAY = 3600, 86_400
_UNKNOWN = -1.0


def preprocessing_fn(
    inputs: dict[str, tf.SparseTensor], custom_config: dict[str, Any] | None = None
) -> dict[str, tf.SparseTensor]:
    """Builds the Transform graph.

    Args:
        inputs: raw features of `schema/history.pbtxt`, all variable-length.
        custom_config: {"config": JSON of `FeaturesConfig`}.

    Returns:
        Sparse [batch, events]: `item` int64 (0 never occurs; 1 … catalogue size by falling
        frequency; catalogue size + 1: out of vocabulary), `action` and `category` int64 (0 =
        unknown category), `gap`, `hour` (1–24) and `weekday` (1–7, Monday first) int64, `price` and
        `quantity` float32 (z-score of the logarithm; 0 = unknown, i.e. average), `time` int64
        (epoch seconds). Sparse [batch, targets]: `target` int64, as `item`. Sparse [batch, 1]:
        `first_target` int64.
    """
    config = FeaturesConfig.from_json((custom_config or {}).get("config", "{}"))
    items = inputs[raw_history.ITEM_IDS]
    timestamps = _epoch_seconds(_aligned(inputs[raw_history.TIMESTAMPS], items, 0))

    item_vocabulary = tft.vocabulary(
        items,
        frequency_threshold=_cutoff(config.min_item_count),
        vocab_filename=features.ITEM_VOCABULARY,
    )

    def item_index(ids: tf.SparseTensor) -> tf.SparseTensor:
        return _shift(tft.apply_vocabulary(ids, item_vocabulary, num_oov_buckets=1), 1)

    actions = tft.compute_and_apply_vocabulary(
        _sparse_like(items, _aligned(inputs[raw_history.ACTIONS], items, "")),
        top_k=config.max_actions,
        num_oov_buckets=1,
        vocab_filename=features.ACTION_VOCABULARY,
    )
    return {
        features.ITEM: item_index(items),
        features.TARGET: item_index(inputs[raw_history.TARGET_ITEM_IDS]),
        features.ACTION: _shift(actions, 1),
        features.CATEGORY: _category_index(
            items, _aligned(inputs[raw_history.CATEGORIES], items, ""), config
        ),
        features.GAP: _sparse_like(items, _gap_bucket(items, timestamps)),
        features.HOUR: _sparse_like(items, tf.math.floormod(timestamps, _DAY) // _HOUR + 1),
        # 1970-01-01 was a Thursday.
        features.WEEKDAY: _sparse_like(items, tf.math.floormod(timestamps // _DAY + 3, 7) + 1),
        features.PRICE: _sparse_like(
            items, _normalised_log(_aligned(inputs[raw_history.PRICES], items, _UNKNOWN))
        ),
        features.QUANTITY: _sparse_like(
            items, _normalised_log(_aligned(inputs[raw_history.QUANTITIES], items, _UNKNOWN))
        ),
        features.TIME: _sparse_like(items, timestamps),
        features.FIRST_TARGET: inputs[raw_history.FIRST_TARGET],
    }


def _cutoff(count: int) -> int | None:
    """A minimum count as TFT wants it: None where everything is kept."""
    return count if count > 1 else None


def _sparse_like(items: tf.SparseTensor, values: tf.Tensor) -> tf.SparseTensor:
    return tf.SparseTensor(items.indices, values, items.dense_shape)


def _shift(indices: tf.SparseTensor, by: int) -> tf.SparseTensor:
    return _sparse_like(indices, indices.values + by)


def _aligned(feature: tf.SparseTensor, items: tf.SparseTensor, default: Any) -> tf.Tensor:
    """Values of `feature` at the positions of the items: [events]; `default` where it has none.

    A client may leave an optional feature out (`trainer/data/request_checks.py`).
    """
    at_items = tf.SparseTensor(feature.indices, feature.values, items.dense_shape)
    dense = tf.sparse.to_dense(at_items, default, validate_indices=False)
    return tf.gather_nd(dense, items.indices)


def _epoch_seconds(times: tf.Tensor) -> tf.Tensor:
    """Epoch times [events] int64 in any unit, each by its size, as the ingestion reads them.

    The log's own are seconds already; clients send what their clocks give.
    """
    bounds, units = zip(*EPOCH_UNITS, strict=True)
    unit = tf.searchsorted(tf.constant(bounds, tf.int64), times, side="right")
    return times // tf.gather(tf.constant([*units, FINEST_UNIT], tf.int64), unit)


def _category_index(
    items: tf.SparseTensor, categories: tf.Tensor, config: FeaturesConfig
) -> tf.SparseTensor:
    """0 where the category is unknown, else 1 + its place in the vocabulary."""
    known = tf.not_equal(categories, "")
    # Looked up as a sparse tensor of the known ones only, so that "" never enters the vocabulary.
    present = tf.SparseTensor(
        tf.boolean_mask(items.indices, known), tf.boolean_mask(categories, known), items.dense_shape
    )
    index = tft.compute_and_apply_vocabulary(
        present,
        top_k=config.max_categories,
        frequency_threshold=_cutoff(config.min_category_count),
        num_oov_buckets=1,
        vocab_filename=features.CATEGORY_VOCABULARY,
    )
    values = tf.scatter_nd(
        tf.cast(tf.where(known), tf.int32),
        index.values + 1,
        tf.shape(categories, out_type=tf.int32),
    )
    return _sparse_like(items, values)


def _gap_bucket(items: tf.SparseTensor, timestamps: tf.Tensor) -> tf.Tensor:
    """Bucket of the time since the event before: 0 for a user's first event."""
    previous = tf.concat([timestamps[:1], timestamps[:-1]], axis=0)
    bucket = tft.apply_buckets(
        tf.cast(timestamps - previous, tf.float32),
        tf.constant([[float(b) for b in features.GAP_BOUNDARIES]]),
    )
    return tf.where(tf.equal(items.indices[:, 1], 0), tf.zeros_like(bucket), bucket + 1)


def _normalised_log(values: tf.Tensor) -> tf.Tensor:
    """z-score of log(1 + value) over the known (non-negative) values; 0 for unknown ones."""
    known = tf.math.is_finite(values) & (values >= 0.0)
    logs = tf.math.log1p(tf.where(known, values, tf.zeros_like(values)))
    observed = tf.boolean_mask(logs, known)
    mean, variance = tft.mean(observed), tft.var(observed)
    scale = tf.math.sqrt(tf.maximum(variance, 1e-6))
    scored = tf.clip_by_value((logs - mean) / scale, -5.0, 5.0)
    return tf.where(known & tf.math.is_finite(scored), scored, tf.zeros_like(values))
