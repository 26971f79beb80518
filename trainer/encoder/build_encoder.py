"""An encoder made to fit a log: which inputs it reads, how many members and items it has."""

from __future__ import annotations

from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.item_features import ItemFeatures
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower
from trainer.encoder.tower_ensemble import TowerEnsemble


def build_encoder(
    facts: DataFacts, config: EncoderConfig, serving: ServingConfig, item_features: ItemFeatures
) -> BehaviorEncoder:
    """A new encoder that fits the data, with popularity as its item biases.

    Args:
        facts: what the training split says about itself.
        config: the encoder's size.
        serving: whether items that the user has are recommended again.
        item_features: vectors of the items, which may be none.

    Returns:
        The built encoder: M = `facts.members(config)` event towers above one item table.
    """
    own, members = facts.scores_own_items(config, serving), facts.members(config)
    statistics = facts.statistics(config)
    towers = [
        EventTower(
            actions=facts.actions,
            use_time=facts.has_time,
            use_price=facts.has_price,
            width=config.width,
            layers=config.layers,
            heads=config.heads,
            feedforward=config.feedforward,
            dropout=config.dropout,
            max_events=config.max_events,
            asks=facts.asks,
            name=f"tower_{member}",
        )
        for member in range(members)
    ]
    encoder = BehaviorEncoder(
        Catalogue(
            facts.items,
            facts.categories,
            own,
            members * config.width,
            feature_width=item_features.dim,
            features_from=config.width * item_features.plain_members(members),
            periods=statistics.periods,
            asks=facts.asks,
            name="catalogue",
        ),
        towers[0] if len(towers) == 1 else TowerEnsemble(towers, name="tower"),
        exclude_seen=facts.exclude_seen(serving),
        own_events=config.own_events if own else 0,
        target_actions=facts.target_actions,
        name="encoder",
    )
    encoder.build()
    encoder.catalogue.set_statistics(
        facts.item_counts,
        statistics,
        facts.item_categories if facts.categories else None,
    )
    if facts.wanted_counts is not None:
        encoder.catalogue.set_asked_share(facts.item_counts, facts.wanted_counts)
    if item_features.dim:
        encoder.catalogue.item_features.assign(item_features.known)
    return encoder
