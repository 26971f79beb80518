"""How long a recommender takes to answer one history."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.serving.recommender import Recommender

_REPEATS = 40


def serving_milliseconds(recommender: Recommender, records: Sequence[bytes]) -> float | None:
    """Median time of `serving_default` for one history a request, in this process.

    Args:
        recommender: what to ask.
        records: serialized histories, asked in turn.
    """
    if not records:
        return None
    answer = recommender.signatures()["serving_default"]
    requests = [tf.constant([record]) for record in records]
    for request in requests:
        answer(request)
    times = []
    for i in range(_REPEATS):
        began = time.perf_counter()
        answer(requests[i % len(requests)])["item_ids"].numpy()
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))
