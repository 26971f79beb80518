"""The memberships of the control: as soft as the clusters', but of a random partition."""

from __future__ import annotations

import numpy as np


def random_membership(
    parts: np.ndarray, clusters: np.ndarray, membership: np.ndarray, seed: int
) -> np.ndarray:
    """Gives every user the membership of a random user of the cluster with the number of the part.

    Specialists of a random partition are combined with these, so that they are mixed exactly as
    much as those of the clusters are.

    Args:
        parts: int64 [users], part of the random partition.
        clusters: int64 [users], cluster; -1 for none.
        membership: float32 [users, K], in the clusters.
        seed: of the draws.

    Returns:
        float32 [users, K]; one-hot for the users of a part whose cluster has no user here.
    """
    rng = np.random.default_rng(seed)
    drawn = np.eye(membership.shape[1], dtype=np.float32)[parts]
    for part in np.unique(parts):
        mine, like = np.flatnonzero(parts == part), np.flatnonzero(clusters == part)
        if len(like):
            drawn[mine] = membership[rng.choice(like, len(mine))]
    return drawn
