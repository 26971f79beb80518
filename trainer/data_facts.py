"""What the training data says about itself, and what follows for the model.

One recipe serves all data sets; what must differ is derived here, with the reason, and written
into `training.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow_transform as tft

from trainer import features
from trainer.catalogue import Catalogue
from trainer.config import EncoderConfig, ServingConfig
from trainer.encoder import BehaviorEncoder
from trainer.event_tower import EventTower
from trainer.input import Histories
from trainer.item_features import ItemFeatures
from trainer.item_statistics import ItemStatistics
from trainer.repeats import EXCLUDE_SEEN_BELOW, repeat_share, should_exclude_seen
from trainer.tower_ensemble import TowerEnsemble

MEMBERS, MEMBERS_OF_MANY_ITEMS, MANY_ITEMS = 4, 2, 20_000
"""Four briefly trained encoders together beat two that were trained longer (`docs/results.md`);
where the softmax over the catalogue takes most of the time, two have to do."""


def _positions(histories: Histories) -> np.ndarray:
    """Each event's place in its history: what stands for the time where a log has order only."""
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

    @classmethod
    def of(cls, histories: Histories, graph: tft.TFTransformOutput) -> DataFacts:
        """Reads them off the training histories."""
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
        )

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
        """Whether the model has the bonus for the user's own items; pointless if these are
        excluded.
        """
        return bool(encoder.own_items) and not self.exclude_seen(serving)

    def statistics(self, encoder: EncoderConfig) -> ItemStatistics:
        """The item statistics that the encoder knows."""
        return self.item_statistics if encoder.trends else self.item_statistics.of_the_end()

    def derived(
        self, encoder: EncoderConfig, serving: ServingConfig, item_features: ItemFeatures
    ) -> dict[str, dict[str, Any]]:
        """Every choice that the data made, as {name: {"value", "why"}}."""
        share = f"{self.repeat_share:.1%} of the events repeat an item of the same user"
        compared = "below" if should_exclude_seen(self.repeat_share) else "not below"
        why = f"{share}, {compared} {EXCLUDE_SEEN_BELOW:.0%}"
        fixed = "set in the configuration"
        own = self.scores_own_items(encoder, serving)
        statistics = self.statistics(encoder)
        return {
            "exclude_seen": {
                "value": self.exclude_seen(serving),
                "why": why if serving.exclude_seen == "auto" else fixed,
            },
            "own_items": {
                "value": own,
                "why": "own items may be recommended again"
                if own
                else "own items are excluded"
                if self.exclude_seen(serving)
                else fixed,
            },
            "time": {
                "value": self.has_time,
                "why": "the log spans at least a day"
                if self.has_time
                else "the log has order only",
            },
            "trends": {
                "value": statistics.periods > 0,
                "why": f"the log is cut into {statistics.periods} periods of {statistics.days:.3g} "
                "days"
                if statistics.periods
                else "the log has order only"
                if not self.has_time
                else fixed
                if not encoder.trends
                else "the catalogue is too large to keep what sold when",
            },
            "actions": {"value": max(self.actions - 1, 1), "why": "kinds of action in the log"},
            "categories": {"value": max(self.categories - 1, 0), "why": "frequent categories"},
            "price": {"value": self.has_price, "why": "whether events have prices or quantities"},
            "catalogue": {"value": self.items, "why": "items in the training split"},
            "members": {
                "value": self.members(encoder),
                "why": f"{MEMBERS} up to {MANY_ITEMS} items, {MEMBERS_OF_MANY_ITEMS} above"
                if encoder.members == "auto"
                else fixed,
            },
            "item_features": {"value": item_features.source, "why": item_features.why},
        }

    def build_encoder(
        self, config: EncoderConfig, serving: ServingConfig, item_features: ItemFeatures
    ) -> BehaviorEncoder:
        """A new encoder that fits this data, with popularity as its item biases."""
        own, members = self.scores_own_items(config, serving), self.members(config)
        statistics = self.statistics(config)
        towers = [
            EventTower(
                actions=self.actions,
                use_time=self.has_time,
                use_price=self.has_price,
                width=config.width,
                layers=config.layers,
                heads=config.heads,
                feedforward=config.feedforward,
                dropout=config.dropout,
                max_events=config.max_events,
                name=f"tower_{member}",
            )
            for member in range(members)
        ]
        encoder = BehaviorEncoder(
            Catalogue(
                self.items,
                self.categories,
                own,
                members * config.width,
                feature_width=item_features.dim,
                features_from=config.width * item_features.plain_members(members),
                periods=statistics.periods,
                name="catalogue",
            ),
            towers[0] if len(towers) == 1 else TowerEnsemble(towers, name="tower"),
            exclude_seen=self.exclude_seen(serving),
            own_events=config.own_events if own else 0,
            name="encoder",
        )
        encoder.build()
        encoder.catalogue.set_statistics(
            self.item_counts,
            statistics,
            self.item_categories if self.categories else None,
        )
        if item_features.dim:
            encoder.catalogue.item_features.assign(item_features.known)
        return encoder
