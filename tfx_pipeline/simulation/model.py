"""What is fixed before anybody buys: the items, the clusters' tastes and habits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfx_pipeline.simulation.assortment import Assortment, draw_assortment
from tfx_pipeline.simulation.habits import Habits, draw_habits
from tfx_pipeline.simulation.settings import SimulationConfig
from tfx_pipeline.simulation.tastes import cluster_mixes


@dataclass(frozen=True)
class ShopModel:
    """The distributions that events are drawn from.

    Attributes:
        config: the settings.
        assortment: the items.
        mixes: float64 [K, C], the category mix of each cluster.
        habits: successors of the items.
    """

    config: SimulationConfig
    assortment: Assortment
    mixes: np.ndarray
    habits: Habits

    def item_tastes(self, mixes: np.ndarray) -> np.ndarray:
        """The items that somebody takes by taste.

        Args:
            mixes: float64 [n, C], category mixes.

        Returns:
            float64 [n, V], rows adding up to 1.
        """
        return mixes[:, self.assortment.categories] * self.assortment.within_category


def draw_model(config: SimulationConfig, chance: np.random.Generator) -> ShopModel:
    """Draws the items and habits; the tastes follow from the items."""
    assortment = draw_assortment(config, chance)
    return ShopModel(
        config,
        assortment,
        cluster_mixes(assortment, config.clusters, config.taste),
        draw_habits(config, assortment, chance),
    )
