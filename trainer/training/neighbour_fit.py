"""Counts the neighbours of items, and chooses on validation how much they raise what is new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.data.histories import Histories
from trainer.encoder.item_neighbours import NEIGHBOURS, ItemNeighbours
from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.catalogue_order import random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.item_knn import ItemKnn
from trainer.evaluation.scorer import Scorer
from trainer.training.new_items_value import new_items_value

_TRIED = (0.25, 0.5, 1.0, 2.0)
_FLOOR = 0.05
"""Of the largest score of a user, in the mean: `ItemNeighbours.floor`."""


@dataclass(frozen=True)
class NeighbourFit:
    """The choice.

    Attributes:
        weight: see `ItemNeighbours`; 0 if nothing is raised.
        value: validation NDCG@10 of the items that are new to a user, with it.
        without: the same without neighbours.
        left_out: why none were counted; "" if they were.
    """

    weight: float
    value: float
    without: float
    left_out: str = ""

    def __str__(self) -> str:
        if self.left_out:
            return f"no neighbours of items: {self.left_out}"
        return (
            f"neighbours of own items count {self.weight:g} times; validation NDCG@10 of new items "
            f"{self.value:.4f} (without them {self.without:.4f})"
        )


def fit_neighbours(scorer: Scorer, training: Histories, seed: int) -> NeighbourFit:
    """Chooses by what was new to the validation users, and leaves the choice in the catalogue.

    Args:
        scorer: of the trained encoder, whose catalogue's `neighbours` are changed, over users with
            held-out items. Own items are scored, and neighbours not used yet.
        training: whole histories, in which neighbours are counted.
        seed: draws which of equally similar items are kept.
    """
    encoder = scorer.encoder
    layer, items = encoder.catalogue.neighbours, encoder.catalogue.items
    assert layer is not None
    queries = scorer.queries()
    without = new_items_value(scorer, queries)
    try:
        counted = ItemKnn(EventLog(training, items), random_order(items + 1, seed), seed)
    except NotApplicable as reason:
        return NeighbourFit(0.0, without, without, str(reason))
    layer.set_neighbours(*counted.neighbours(NEIGHBOURS))
    layer.floor.assign(_FLOOR * _mean_largest(layer, scorer))
    layer.used = True
    scorer = scorer.anew()
    values = {0.0: without}
    for weight in _TRIED:
        layer.weight.assign(weight)
        values[weight] = new_items_value(scorer, queries)
    # Of equal values the first one stays: nothing, which costs nothing.
    best = max(values, key=lambda tried: values[tried])
    layer.weight.assign(best)
    layer.used = best > 0
    return NeighbourFit(best, values[best], without)


def _mean_largest(layer: ItemNeighbours, scorer: Scorer) -> float:
    """Mean of the largest score of each user, over those who have any; 0 if nobody has."""
    largest = np.concatenate(
        [layer.scores(own)[1].numpy().max(axis=1, initial=0.0) for own in scorer.own_items()]
    )
    return float(largest[largest > 0].mean()) if (largest > 0).any() else 0.0
