"""The users: their clusters before and after the drift, and how many events each has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfx_pipeline.simulation.settings import LEAST_EVENTS, SimulationConfig, cluster_counts


@dataclass(frozen=True)
class Population:
    """Users by index; an index says nothing about the cluster.

    Attributes:
        before: int64 [U], the cluster of each user in the first half of the period.
        after: int64 [U], in the second half; another one for those who drift.
        lengths: int64 [U], events of each user.
    """

    before: np.ndarray
    after: np.ndarray
    lengths: np.ndarray

    @property
    def drifted(self) -> np.ndarray:
        """Bool [U]: who moved to another cluster."""
        return self.before != self.after


def draw_population(config: SimulationConfig, chance: np.random.Generator) -> Population:
    """Draws the users. Cluster sizes and the number of those who drift are exact."""
    counts = cluster_counts(config.users, config.cluster_shares())
    before = chance.permutation(np.repeat(np.arange(config.clusters), counts))
    mean = config.events_per_user - LEAST_EVENTS
    success = config.length_shape / (config.length_shape + mean)
    more = chance.negative_binomial(config.length_shape, success, config.users)
    movers = chance.permutation(config.users)[: round(config.drift * config.users)]
    after = before.copy()
    after[movers] = _other_cluster(before[movers], counts / config.users, chance)
    return Population(before, after, LEAST_EVENTS + more)


def moves(population: Population, clusters: int) -> np.ndarray:
    """Float64 [K, K]: the probability of each cluster in the second half, given the first.

    That of the model, with the sizes and the share of movers that this population has.
    """
    shares = np.bincount(population.before, minlength=clusters) / len(population.before)
    drift = population.drifted.mean()
    matrix = np.diag(np.full(clusters, 1 - drift))
    if drift:
        matrix += drift * _destinations(shares)
    return matrix


def _destinations(shares: np.ndarray) -> np.ndarray:
    """Float64 [K, K]: where movers from each cluster go: to the others, by size."""
    others = np.where(np.eye(len(shares), dtype=bool), 0.0, shares)
    return others / others.sum(axis=1, keepdims=True)


def _other_cluster(
    clusters: np.ndarray, shares: np.ndarray, chance: np.random.Generator
) -> np.ndarray:
    uniforms = chance.random(len(clusters))
    if not len(clusters):
        return clusters
    ends = np.cumsum(_destinations(shares), axis=1)
    ends /= ends[:, -1:]
    return (ends[clusters] <= uniforms[:, None]).sum(axis=1)
