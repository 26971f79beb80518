"""Habits: which items follow an item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfx_pipeline.simulation.assortment import Assortment
from tfx_pipeline.simulation.settings import SimulationConfig


@dataclass(frozen=True)
class Habits:
    """The successors of every item.

    All lists of one item are disjoint and lie in the item's category, so that following keeps
    the category: habits do not blur taste.

    Attributes:
        shared: int32 [V, s], those of all users, the most frequent first.
        own: int32 [K, V, s], those of each cluster; [K, V, 0] if habits are not distinct.
        weights: float64 [s], adding up to 1: how often each place of a list is taken.
        distinctness: h, how often a cluster's own list is taken instead of the shared one.
    """

    shared: np.ndarray
    own: np.ndarray
    weights: np.ndarray
    distinctness: float

    @property
    def shared_weights(self) -> np.ndarray:
        """Float64 [s]: the probability of each shared successor."""
        return (1 - self.distinctness) * self.weights

    @property
    def own_weights(self) -> np.ndarray:
        """Float64 [s], or [0] if habits are not distinct: of each of a cluster's own."""
        return self.distinctness * self.weights[: self.own.shape[2]]

    def draw(
        self, clusters: np.ndarray, items: np.ndarray, lists: np.ndarray, places: np.ndarray
    ) -> np.ndarray:
        """Draws a successor of each item.

        Args:
            clusters: int64 [n] of the users.
            items: int64 [n], the latest items.
            lists: float64 [n] in [0, 1), decides which list.
            places: float64 [n] in [0, 1), decides the place in it.

        Returns:
            int32 [n].
        """
        ends = np.cumsum(self.weights)
        place = np.minimum(np.searchsorted(ends, places, side="right"), len(ends) - 1)
        chosen = self.shared[items, place]
        own = lists < self.distinctness
        chosen[own] = self.own[clusters[own], items[own], place[own]]
        return chosen

    def probability(self, cluster: int, items: np.ndarray, following: np.ndarray) -> np.ndarray:
        """How probable one item is among the successors of another.

        Args:
            cluster: the habits of which cluster.
            items: int64 [n].
            following: int64 [n].

        Returns:
            float64 [n].
        """
        shared = (self.shared[items] == following[:, None]) @ self.shared_weights
        own = (self.own[cluster][items] == following[:, None]) @ self.own_weights
        return np.asarray(shared + own)


def draw_habits(
    config: SimulationConfig, assortment: Assortment, chance: np.random.Generator
) -> Habits:
    """Draws the lists: for each item, random others of its category, without replacement.

    Takes O(V n^2) steps for n = s (K + 1) successors an item, and n numbers an item in memory.
    """
    size, clusters = config.successors, config.clusters
    lists = 1 + (clusters if config.habits > 0 else 0)
    others = _distinct_others(assortment, lists * size, chance).reshape(
        len(assortment), lists, size
    )
    ranks = np.arange(1, size + 1)
    return Habits(
        shared=np.ascontiguousarray(others[:, 0]),
        own=np.ascontiguousarray(others[:, 1:].swapaxes(0, 1))
        if lists > 1
        else np.zeros((clusters, len(assortment), 0), np.int32),
        weights=(1 / ranks) / (1 / ranks).sum(),
        distinctness=config.habits,
    )


def _distinct_others(assortment: Assortment, count: int, chance: np.random.Generator) -> np.ndarray:
    """Different random items of each item's category, never itself: int32 [V, count].

    Floyd's sampling without replacement (Bentley and Floyd 1987), all items at once, in random
    order.
    """
    sizes = np.diff(assortment.category_starts)[assortment.categories]
    places = np.empty(len(assortment), np.int64)
    places[assortment.by_category] = np.arange(len(assortment))
    places -= assortment.category_starts[assortment.categories]
    found = np.empty((len(assortment), count), np.int32)
    for step in range(count):
        top = sizes - 1 - count + step
        drawn = (chance.random(len(assortment)) * (top + 1)).astype(np.int32)
        taken = (found[:, :step] == drawn[:, None]).any(axis=1)
        found[:, step] = np.where(taken, top, drawn)
    found = chance.permuted(found, axis=1)
    found += found >= places[:, None]
    starts = assortment.category_starts[assortment.categories]
    return assortment.by_category[starts[:, None] + found].astype(np.int32)
