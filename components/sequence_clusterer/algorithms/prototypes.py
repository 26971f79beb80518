"""From labelled points to a nearest-prototype rule that reproduces the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn import cluster

from trainer.clusters.nearest_prototype import NearestPrototype

MOST_PROTOTYPES = 1024
"""Of all clusters together: 4 KB for each dimension in the cluster model and the exported graph."""
_STEPS = 20


def compressed(points: np.ndarray, size: int, seed: int) -> np.ndarray:
    """At most `size` prototypes that cover the points: the centres of k-means (Lloyd).

    Centres keep more of a cluster's shape than as many of its points do: on three shops'
    embeddings 256 of them reproduced HDBSCAN's labels nearly as well as 1,024 points far apart.

    Args:
        points: float32 [n, dim]; returned as they are if there are no more than `size`.
        size: at least one.
        seed: of the starts.
    """
    if len(points) <= size:
        return points
    model = cluster.KMeans(size, n_init=1, max_iter=_STEPS, random_state=seed)
    return model.fit(points).cluster_centers_


def separating_radii(
    groups: Sequence[np.ndarray], points: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """The radius of each cluster that best tells its members from noise.

    Of the points whose nearest prototype is one of cluster k, those within the radius should be
    those labelled k. The radius that makes the fewest errors is taken, of several the largest,
    and half-way to the next point.

    Args:
        groups: prototypes of each cluster.
        points: float32 [n, dim].
        labels: int64 [n], cluster or -1.

    Returns:
        float32 [K]; 0 where no point is nearest to the cluster.
    """
    rule = NearestPrototype.of_groups(groups, 1.0)
    squares = rule.squared_distances(points)
    nearest, distances = np.argmin(squares, axis=1), np.sqrt(squares.min(axis=1))
    radii = np.zeros(len(groups))
    for k in np.unique(nearest):
        order = np.argsort(distances[nearest == k], kind="stable")
        reach = distances[nearest == k][order]
        member = labels[nearest == k][order] == k
        errors = np.cumsum(~member) + member.sum() - np.cumsum(member)
        best = len(errors) - 1 - int(np.argmin(errors[::-1]))
        following = reach[best + 1] if best + 1 < len(reach) else reach[best] * 1.001
        radii[k] = (reach[best] + following) / 2
    return radii


def rule_with_radii(groups: Sequence[np.ndarray], radii: np.ndarray) -> NearestPrototype:
    """A rule with noise; its temperature is the mean squared radius.

    The distance to the nearest of many prototypes is near zero, so that it says nothing about how
    far apart clusters are; the radius does.
    """
    return NearestPrototype.of_groups(groups, float(np.mean(radii**2)), radii)
