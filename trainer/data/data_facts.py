"""What the training data says about itself, and what follows for the model.

One recipe serves all data sets; what must differ is derived here, with the reason, and written
into `training.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow_transform as tft

from trainer.config import EncoderConfig, ServingConfig
from trainer.data import features
from trainer.data.histories import Histories
from trainer.data.item_features import ItemFeatures
from trainer.data.item_statistics import ItemStatistics
from trainer.data.repeats import EXCLUDE_SEEN_BELOW, repeat_share, should_exclude_seen

MEMBERS, MEMBERS_OF_MANY_ITEMS, MANY_ITEMS = 4, 2, 20_000
"""Four encoders that were trained briefly beat two that were trained longer
(`docs/journal/results.md`). Where the softmax over the catalogue takes most of the time, there are
two."""


_SET = "set in the configuration"


def _positions(histories: Histories) -> np.ndarray:
    """Each event's place in its history, which replaces the time where a log has order only."""
    return np.arange(histories.splits[-1]) - np.repeat(histories.splits[:-1], histories.lengths)


@dataclass(frozen=True)
class DataFacts:
    """Facts about the training split.

    Attributes:
        items: catalogue size, the vocabulary's.
        item_counts: int64 [items + 1] events per item index.
        item_statistics: how items were sold up to each point of the log.
        item_categories: int32 [items + 2] the category of each item, 0 = unknown.
        categories: number of category indices, 0 if no event has one.
        actions: number of action indices, 0 if all events are of one kind.
        has_time: whether timestamps carry time and not only order.
        has_price: whether any event has a price or a quantity.
        repeat_share: share of events, after each user's first, that repeat an own item.
        target_actions: indices of the actions that models are asked for; none: every action.
        wanted_counts: int64 [items + 1] events with these per item index; None: of every action.
    """

    items: int
    item_counts: np.ndarray
    item_statistics: ItemStatistics
    item_categories: np.ndarray
    categories: int
    actions: int
    has_time: bool
    has_price: bool
    repeat_share: float
    target_actions: tuple[int, ...] = ()
    wanted_counts: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        histories: Histories,
        graph: tft.TFTransformOutput,
        target_actions: Sequence[int] = (),
    ) -> DataFacts:
        """Collects the facts from the training histories, which are asking for target actions."""
        items = graph.vocabulary_size_by_name(features.ITEM_VOCABULARY)
        columns = histories.columns
        item, category = columns[features.ITEM], columns[features.CATEGORY]
        item_categories = np.zeros(items + 2, np.int32)
        item_categories[item[category > 0]] = category[category > 0]
        item_categories[items + 1] = 0
        actions = graph.vocabulary_size_by_name(features.ACTION_VOCABULARY)
        has_time = bool((columns[features.TIME] != _positions(histories)).any())
        return cls(
            items=items,
            item_counts=np.bincount(item, minlength=items + 1)[: items + 1],
            item_statistics=ItemStatistics.of(histories, items, has_time=has_time),
            item_categories=item_categories,
            categories=int(category.max(initial=0)) + 1 if category.any() else 0,
            actions=actions + 1 if actions > 1 else 0,
            has_time=has_time,
            has_price=bool(columns[features.PRICE].any() or columns[features.QUANTITY].any()),
            repeat_share=repeat_share(item, histories.splits),
            target_actions=tuple(target_actions),
            wanted_counts=None
            if histories.wanted is None
            else np.bincount(item[histories.wanted], minlength=items + 1)[: items + 1],
        )

    @property
    def asks(self) -> bool:
        """Whether models are told if a target action is asked for."""
        return bool(self.target_actions)

    def exclude_seen(self, serving: ServingConfig) -> bool:
        """Whether seen items are left out of recommendations."""
        if serving.exclude_seen == "auto":
            return should_exclude_seen(self.repeat_share)
        return bool(serving.exclude_seen)

    def members(self, encoder: EncoderConfig) -> int:
        """How many members the encoder has: the softmax costs members times items."""
        if encoder.members == "auto":
            return MEMBERS if self.items <= MANY_ITEMS else MEMBERS_OF_MANY_ITEMS
        return encoder.members

    def scores_own_items(self, encoder: EncoderConfig, serving: ServingConfig) -> bool:
        """Whether the model scores the user's own items; never if these are excluded."""
        return bool(encoder.own_items) and not self.exclude_seen(serving)

    def statistics(self, encoder: EncoderConfig) -> ItemStatistics:
        """The item statistics that the encoder knows."""
        return self.item_statistics if encoder.trends else self.item_statistics.of_the_end()

    def derived(
        self, encoder: EncoderConfig, serving: ServingConfig, item_features: ItemFeatures
    ) -> dict[str, dict[str, Any]]:
        """Every choice that follows from the data, as {name: {"value", "why"}}."""
        choices: dict[str, tuple[Any, str]] = {
            "exclude_seen": (self.exclude_seen(serving), self._why_exclude_seen(serving)),
            "own_items": (
                self.scores_own_items(encoder, serving),
                self._why_own_items(encoder, serving),
            ),
            "time": (self.has_time, self._why_time()),
            "trends": (self.statistics(encoder).periods > 0, self._why_trends(encoder)),
            "actions": (max(self.actions - 1, 1), "kinds of action in the log"),
            "categories": (max(self.categories - 1, 0), "frequent categories"),
            "price": (self.has_price, "whether events have prices or quantities"),
            "catalogue": (self.items, "items in the training split"),
            "members": (self.members(encoder), _why_members(encoder)),
            "item_features": (item_features.source, item_features.why),
        }
        return {name: {"value": value, "why": why} for name, (value, why) in choices.items()}

    def _why_exclude_seen(self, serving: ServingConfig) -> str:
        if serving.exclude_seen != "auto":
            return _SET
        share = f"{self.repeat_share:.1%} of the events repeat an item of the same user"
        compared = "below" if should_exclude_seen(self.repeat_share) else "not below"
        return f"{share}, {compared} {EXCLUDE_SEEN_BELOW:.0%}"

    def _why_own_items(self, encoder: EncoderConfig, serving: ServingConfig) -> str:
        if self.scores_own_items(encoder, serving):
            return "own items may be recommended again"
        if self.exclude_seen(serving):
            return "own items are excluded"
        return _SET

    def _why_time(self) -> str:
        return "the log spans at least a day" if self.has_time else "the log has order only"

    def _why_trends(self, encoder: EncoderConfig) -> str:
        statistics = self.statistics(encoder)
        if statistics.periods:
            return f"the log is cut into {statistics.periods} periods of {statistics.days:.3g} days"
        if not self.has_time:
            return self._why_time()
        if not encoder.trends:
            return _SET
        return "the catalogue is too large to keep what sold when"


def _why_members(encoder: EncoderConfig) -> str:
    if encoder.members != "auto":
        return _SET
    return f"{MEMBERS} up to {MANY_ITEMS} items, {MEMBERS_OF_MANY_ITEMS} above"
