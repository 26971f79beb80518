"""Transformed histories of item indices, made by hand."""

from __future__ import annotations

import numpy as np

from trainer.data import features
from trainer.data.histories import Histories


def histories(*users, times=None):
    """Histories of item indices, every event at a time of its own unless times are given."""

    lengths = [len(items) for items in users]
    count = sum(lengths)
    columns = {name: np.ones(count, np.int32) for name in features.EVENT_COLUMNS}
    columns[features.ITEM] = np.concatenate([np.array(items, np.int32) for items in users])
    columns[features.TIME] = np.arange(count) if times is None else np.concatenate(times)
    return Histories(
        columns,
        splits=np.concatenate([[0], np.cumsum(lengths)]),
        targets=np.zeros(0, np.int32),
        target_splits=np.zeros(len(users) + 1, np.int64),
        first_target=np.zeros(len(users), np.int64),
    )
