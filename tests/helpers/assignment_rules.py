"""One assignment rule of each kind, of random numbers."""

from __future__ import annotations

import numpy as np

from trainer.clusters.gaussian_posterior import GaussianPosterior
from trainer.clusters.nearest_prototype import NearestPrototype

DIM = 6


def normal(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def triangular(clusters):
    factors = np.triu(0.3 * normal(clusters, DIM, DIM))
    factors[:, range(DIM), range(DIM)] = 0.5 + abs(normal(clusters, DIM, seed=2))
    return factors


WEIGHTS = np.log([0.5, 0.25, 0.15, 0.1]).astype(np.float32)

RULES = {
    "centroids": NearestPrototype.of_groups(normal(4, 1, DIM), 0.7),
    "prototypes": NearestPrototype.of_groups(
        [normal(3, DIM), normal(1, DIM, seed=2), normal(5, DIM, seed=3), normal(2, DIM, seed=4)],
        0.7,
    ),
    "radii": NearestPrototype.of_groups(normal(4, 3, DIM), 0.7, np.array([1.5, 0.0, 9.0, 1.9])),
    "diagonal": GaussianPosterior(normal(4, DIM), 0.5 + abs(normal(4, DIM, seed=2)), WEIGHTS),
    "full": GaussianPosterior(normal(4, DIM), triangular(4), WEIGHTS),
}
