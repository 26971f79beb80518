"""Requests whose parallel inputs do not fit each other are refused, with the input's name.

A model that went on would read one user's padding as another user's events. Everything here is
ops of the graph (`Assert`, `EnsureShape`), so that a server refuses as well: INVALID_ARGUMENT.
"""

from __future__ import annotations

import tensorflow as tf

from trainer import raw_history


def same_shape(
    item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The columns of a request, passed on only if all are [batch, length] of one shape.

    Nothing is broadcast: one action for a whole history is written once for each item.

    Args:
        item_ids: string [batch, length].
        actions: string, the same shape.
        timestamps: int64, the same shape.

    Raises:
        tf.errors.InvalidArgumentError: when run, naming the column and both shapes.
    """
    columns = {
        raw_history.ITEM_IDS: item_ids,
        raw_history.ACTIONS: actions,
        raw_history.TIMESTAMPS: timestamps,
    }
    columns = {name: _of_rank_two(name, column) for name, column in columns.items()}
    expected = tf.shape(columns[raw_history.ITEM_IDS])
    checks = []
    for name in (raw_history.ACTIONS, raw_history.TIMESTAMPS):
        shape = tf.shape(columns[name])
        message = [
            f"{name} must have the shape of item_ids, one value for each item; {name} has",
            shape,
            "and item_ids has",
            expected,
        ]
        checks.append(_assert(tf.reduce_all(tf.equal(shape, expected)), message))
    with tf.control_dependencies(checks):
        passed = [tf.identity(column) for column in columns.values()]
    return passed[0], passed[1], passed[2]


def one_value_for_each_item(raw: dict[str, tf.SparseTensor]) -> dict[str, tf.SparseTensor]:
    """Raw histories, passed on only if each feature of the events has one value for each item.

    A history may lack a feature altogether: that is "unknown" for all of its events.

    Args:
        raw: parsed histories by the names in `trainer.raw_history`.

    Raises:
        tf.errors.InvalidArgumentError: when run, naming the feature, the example and the lengths.
    """
    items = raw[raw_history.ITEM_IDS]
    parallel = (*raw_history.EVENT_FEATURES, *raw_history.OPTIONAL_EVENT_FEATURES)
    names = [name for name in parallel if name in raw]
    batch = items.dense_shape[0]
    # All features are counted at once, each in rows of its own.
    rows = [raw[name].indices[:, 0] + place * batch for place, name in enumerate(names)]
    row = tf.concat(rows, axis=0)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(row), row, batch * len(names))
    counts = tf.reshape(counts, [len(names), batch])
    wrong = (counts > 0) & tf.not_equal(counts, counts[:1])
    first = tf.where(wrong)[:1]
    message = [
        "feature",
        tf.gather(tf.constant(names), first[:, 0]),
        "of example",
        first[:, 1],
        "must have one value for each of its item_ids, or none at all; it has",
        tf.gather_nd(counts, first),
        "values, and item_ids has",
        tf.gather(counts[0], first[:, 1]),
    ]
    check = _assert(tf.logical_not(tf.reduce_any(wrong)), message)
    with tf.control_dependencies([check]):
        passed = tf.identity(items.values)
    return {**raw, raw_history.ITEM_IDS: tf.SparseTensor(items.indices, passed, items.dense_shape)}


def _assert(condition: tf.Tensor, message: list[str | tf.Tensor]) -> tf.Operation:
    """The bare op: `tf.debugging.Assert` puts it into a branch, which costs more than it saves."""
    return tf.raw_ops.Assert(condition=condition, data=message)


def _of_rank_two(name: str, column: tf.Tensor) -> tf.Tensor:
    """The column, checked when run: servers look at names and types alone.

    The signature says the rank already, for which TensorFlow would leave the check out; so its
    input is made one of unknown shape first. The name of that is what the error quotes.
    """
    unknown = tf.raw_ops.PlaceholderWithDefault(input=column, shape=None, name=f"input_{name}")
    return tf.ensure_shape(unknown, [None, None])
