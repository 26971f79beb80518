"""Histories as a matrix of users and items, as the matrix methods read them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp

from trainer.evaluation.baselines.event_log import EventLog

Weighting = Literal["presence", "log counts", "counts"]
"""What stands for an item that a user had n times: 1, log2(1 + n), or n."""
WEIGHTINGS: tuple[Weighting, ...] = ("presence", "log counts", "counts")


def user_items(log: EventLog, weighting: Weighting = "presence") -> sp.csr_matrix:
    """Who had what.

    Args:
        log: of the users.
        weighting: what stands for an item that a user had.

    Returns:
        float32 [users, items], item `i` in column `i - 1`; no entry for what a user did not have.
    """
    counts = log.distinct if weighting == "presence" else log.sums(np.ones(log.item.size))
    matrix = counts[:, 1:].astype(np.float32)
    if weighting == "log counts":
        matrix.data = np.log2(1 + matrix.data)
    return matrix
