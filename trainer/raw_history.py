"""The raw history: names of its features, its splits, and the buckets of its length.

A history is one `tf.Example` per user, oldest event first (types in `schema/history.pbtxt`).
Every part that reads or writes raw histories takes the names from here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

USER_ID = "user_id"
ITEM_IDS = "item_ids"
ACTIONS = "actions"
TIMESTAMPS = "timestamps"
PRICES = "prices"
QUANTITIES = "quantities"
CATEGORIES = "categories"
SESSION_IDS = "session_ids"
TARGET_ITEM_IDS = "target_item_ids"
FIRST_TARGET = "first_target"
HISTORY_LENGTH = "history_length"
CLUSTER_ID = "cluster_id"
FREE_ITEM_IDS = "free_item_ids"
"""What the best free baseline recommends to the user, best first."""
RANDOM_PART = "random_part"
"""The user's part of the random partition that clusters are compared with."""

NOISE = -1
"""The `cluster_id` of a user who belongs to no cluster and gets the global encoder."""

# One value per event, in the same order; the optional ones are absent when the log has no such
# column.
EVENT_FEATURES = (ITEM_IDS, ACTIONS, TIMESTAMPS)
OPTIONAL_EVENT_FEATURES = (PRICES, QUANTITIES, CATEGORIES, SESSION_IDS)

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
SPLITS = (TRAIN, VALIDATION, TEST)

LENGTH_BUCKETS = ("0", "1-4", "5-9", "10-19", "20-49", "50+")
_LOWER_BOUNDS = np.array([1, 5, 10, 20, 50])


def length_bucket(length: int) -> str:
    """Bucket of a history with `length` events.

    Example:
        >>> length_bucket(7)
        '5-9'
    """
    return LENGTH_BUCKETS[int(np.searchsorted(_LOWER_BOUNDS, length, side="right"))]


def length_buckets(lengths: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """`length_bucket` of every element: int [n] -> str [n]."""
    indices = np.searchsorted(_LOWER_BOUNDS, np.asarray(lengths), side="right")
    return np.array(LENGTH_BUCKETS)[indices]
