"""Training histories cut at checkpoints, so that no target helps to choose its own cluster.

A user's cluster may change as the history grows. The events between two checkpoints are training
targets of the cluster in which the history *up to the first of them* lies: assigning the whole
history at once would tell an early target's specialist what the user did later.

Checkpoints lie at 1, 2, 4, 8, … events, so a user is embedded O(log n) times. Events of the same
instant are one basket and stay together: a checkpoint inside a basket moves to its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.raw_history import (
    CLUSTER_ID,
    FIRST_TARGET,
    HISTORY_LENGTH,
    RANDOM_PART,
    TARGET_ITEM_IDS,
    TIMESTAMPS,
    USER_ID,
    length_bucket,
)

# Features that describe the user or the example; all others are lists along the history.
_NOT_ALONG_HISTORY = frozenset({USER_ID, TARGET_ITEM_IDS, FIRST_TARGET, HISTORY_LENGTH, CLUSTER_ID})


class Segment(NamedTuple):
    """A part of a history whose events are targets of one cluster.

    Attributes:
        example: serialized tf.Example, the history up to the end of the segment; `first_target`
            says where the targets begin.
        visible: serialized tf.Example, the history before the first target: all that may decide
            the cluster.
    """

    example: bytes
    visible: bytes


def checkpoints(timestamps: Sequence[int]) -> list[int]:
    """Where to cut a history.

    Args:
        timestamps: of the events, oldest first.

    Returns:
        Rising numbers of events, each at the end of an instant; the last is the length of the
        history. Fewer than two numbers mean that there is no event with another before it.

    Example:
        >>> checkpoints([10, 20, 30, 40, 50])
        [1, 2, 4, 5]
        >>> checkpoints([10, 10, 10, 20, 20])
        [3, 5]
    """
    times = np.asarray(timestamps)
    ends = np.flatnonzero(times[1:] != times[:-1]) + 1
    if not len(ends):
        return [len(times)] if len(times) else []
    cuts = [int(ends[0])]
    power = 1
    while power < len(times):
        if power > cuts[-1]:
            cut = int(ends[np.searchsorted(ends, power, side="right") - 1])
            if cut > cuts[-1]:
                cuts.append(cut)
        power *= 2
    return [*cuts, len(times)]


def cut_segments(record: bytes) -> list[Segment]:
    """The segments of a training history.

    Args:
        record: serialized raw history. Positions before its `first_target` are no targets.

    Returns:
        Segments, the latest first; none if nothing but the first instant is known.
    """
    example = tf.train.Example.FromString(record)
    features = example.features.feature
    cuts = checkpoints(features[TIMESTAMPS].int64_list.value)
    earliest = features[FIRST_TARGET].int64_list.value
    floor = earliest[0] if earliest else 0
    features[TARGET_ITEM_IDS].Clear()
    features[TARGET_ITEM_IDS].bytes_list.SetInParent()
    segments = []
    # From the end, so that each step only drops events from the one example.
    _truncate(example, cuts[-1] if cuts else 0)
    for start, end in zip(cuts[-2::-1], cuts[:0:-1], strict=True):
        if end <= floor:
            break
        _set_first_target(example, max(start, floor))
        whole = example.SerializeToString(deterministic=True)
        _truncate(example, start)
        _set_first_target(example, start)
        visible = example.SerializeToString(deterministic=True)
        segments.append(Segment(whole, visible))
    return segments


def visible_history(record: bytes) -> bytes:
    """A held-out history without its target: what may decide its cluster."""
    example = tf.train.Example.FromString(record)
    target = example.features.feature[TARGET_ITEM_IDS]
    target.Clear()
    target.bytes_list.SetInParent()
    return example.SerializeToString(deterministic=True)


def history_before(record: bytes, moment: int) -> bytes | None:
    """The part of a training history that was known at a moment, if it went on afterwards.

    Args:
        record: serialized raw history.
        moment: epoch seconds.

    Returns:
        Serialized history of the events before the moment; None for a user who has none before
        it, or none from it on.
    """
    example = tf.train.Example.FromString(record)
    features = example.features.feature
    times = np.asarray(features[TIMESTAMPS].int64_list.value)
    known = int(np.searchsorted(times, moment, side="left"))
    if not 0 < known < len(times):
        return None
    features[TARGET_ITEM_IDS].Clear()
    features[TARGET_ITEM_IDS].bytes_list.SetInParent()
    _truncate(example, known)
    _set_first_target(example, known)
    return example.SerializeToString(deterministic=True)


def with_cluster(record: bytes, cluster: int, part: int | None = None) -> bytes:
    """Adds `cluster_id`, and with a part `random_part`, to a serialized tf.Example.

    Serialized protocol buffers merge when they are concatenated, so the record, which may hold
    hundreds of events, need not be parsed again.
    """
    addition = tf.train.Example()
    addition.features.feature[CLUSTER_ID].int64_list.value.append(cluster)
    if part is not None:
        addition.features.feature[RANDOM_PART].int64_list.value.append(part)
    return record + addition.SerializeToString()


def _truncate(example: tf.train.Example, length: int) -> None:
    """Keeps the first `length` events, in every list along the history."""
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        if kind is not None and name not in _NOT_ALONG_HISTORY:
            del getattr(feature, kind).value[length:]
    bucket = example.features.feature[HISTORY_LENGTH].bytes_list
    bucket.value[:] = [length_bucket(length).encode()]


def _set_first_target(example: tf.train.Example, position: int) -> None:
    """Sets where the targets begin."""
    example.features.feature[FIRST_TARGET].int64_list.value[:] = [position]
