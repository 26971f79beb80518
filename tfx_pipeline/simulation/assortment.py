"""The items: popularity, categories, prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from tfx_pipeline.simulation.settings import SimulationConfig

_NAMES = (
    "Coffee", "Garden", "Books", "Cycling", "Toys", "Kitchen", "Music", "Shoes", "Cameras",
    "Fishing", "Baking", "Make-up", "Furniture", "Camping", "Stationery", "Pets", "Lamps",
    "Tools", "Wine", "Jewellery", "Games", "Bedding", "Running", "Tea",
)  # fmt: skip
_MEDIAN_PRICE = 10.0
_CATEGORY_SPREAD, _ITEM_SPREAD = 0.6, 0.4


@dataclass(frozen=True)
class Assortment:
    """Items by index; an index says nothing about popularity or category.

    Attributes:
        popularity: float64 [V], adding up to 1.
        categories: int64 [V], the category of each item.
        prices: float64 [V], list prices.
        category_count: C.
    """

    popularity: np.ndarray
    categories: np.ndarray
    prices: np.ndarray
    category_count: int

    def __len__(self) -> int:
        return len(self.popularity)

    @cached_property
    def category_shares(self) -> np.ndarray:
        """Float64 [C]: the popularity of each category's items together."""
        return np.bincount(self.categories, self.popularity, self.category_count)

    @cached_property
    def within_category(self) -> np.ndarray:
        """Float64 [V]: the popularity of an item among those of its category."""
        return self.popularity / self.category_shares[self.categories]

    @cached_property
    def by_category(self) -> np.ndarray:
        """Int64 [V]: the items, category after category."""
        return np.argsort(self.categories, kind="stable")

    @cached_property
    def category_starts(self) -> np.ndarray:
        """Int64 [C + 1]: where each category begins in `by_category`."""
        sizes = np.bincount(self.categories, minlength=self.category_count)
        return np.concatenate([[0], np.cumsum(sizes)])

    def draw(self, categories: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Draws an item of each category by popularity.

        Args:
            categories: int64 [n].
            uniforms: float64 [n] in [0, 1).

        Returns:
            int64 [n] items.
        """
        ends = np.concatenate([[0.0], np.cumsum(self.popularity[self.by_category])])
        first, last = self.category_starts[categories], self.category_starts[categories + 1]
        levels = ends[first] + uniforms * (ends[last] - ends[first])
        places = np.searchsorted(ends, levels, side="right") - 1
        return self.by_category[np.clip(places, first, last - 1)]

    def frame(self) -> pl.DataFrame:
        """The items file: item_id, title, category, price."""
        names = [category_name(category) for category in range(self.category_count)]
        categories = [names[category] for category in self.categories]
        return pl.DataFrame(
            {
                "item_id": item_ids(len(self)),
                "title": [f"{name} {item + 1}" for item, name in enumerate(categories)],
                "category": categories,
                "price": self.prices,
            }
        )


def draw_assortment(config: SimulationConfig, chance: np.random.Generator) -> Assortment:
    """Draws the items.

    The ranks of popularity are dealt to the categories in rounds, in a new random order each
    round, so that the categories' numbers of items differ by at most one.
    """
    rounds = -(-config.items // config.categories)
    order = np.tile(np.arange(config.categories), (rounds, 1))
    by_rank = chance.permuted(order, axis=1).ravel()[: config.items]
    weights = np.arange(1, config.items + 1) ** -config.popularity
    place = chance.permutation(config.items)
    levels = chance.normal(np.log(_MEDIAN_PRICE), _CATEGORY_SPREAD, config.categories)
    prices = np.exp(levels[by_rank[place]] + chance.normal(0, _ITEM_SPREAD, config.items))
    return Assortment(
        weights[place] / weights.sum(),
        by_rank[place],
        np.maximum(np.round(prices, 2), 0.05),
        config.categories,
    )


def item_ids(count: int) -> list[str]:
    """The ids of the items, in the order of their indices."""
    width = len(str(count))
    return [f"i{number:0{width}}" for number in range(1, count + 1)]


def category_name(category: int) -> str:
    """A readable name; those beyond the list are numbered."""
    return _NAMES[category] if category < len(_NAMES) else f"Department {category + 1}"
