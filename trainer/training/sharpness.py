"""How much what the encoder thinks of a customer counts beside popularity: chosen on validation.

Scores are trained to be likelihoods, of the training histories. On what comes after them an
encoder is surer of itself than it should be, the more so the shorter it trained: of a grocery's new
items it found a fifth more with half its say. One number for all scores mends it (temperature
scaling; Guo et al., "On Calibration of Modern Neural Networks", ICML 2017), here by the order of
the lists and not by their likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainer.evaluation.scorer import Scorer
from trainer.shelves import ALL, NEW
from trainer.training.new_items_value import new_items_value

_TRIED = (1.0, 0.7, 0.5, 0.35, 0.2)


@dataclass(frozen=True)
class SharpnessChoice:
    """The choice.

    Attributes:
        sharpness: see `Catalogue`.
        value: validation NDCG@10 of the items that are new to a user, with it.
        trained: the same as trained, with a sharpness of 1.
    """

    sharpness: float
    value: float
    trained: float

    def __str__(self) -> str:
        return (
            f"{self.sharpness:g} times the trained inner products; validation NDCG@10 of new items "
            f"{self.value:.4f} (as trained {self.trained:.4f})"
        )


def choose_sharpness(scorer: Scorer) -> SharpnessChoice:
    """Chooses by what was new to the validation users, and leaves the choice in the catalogue.

    Own items have a say of their own (`trainer/training/repeat_blend.py`).

    Args:
        scorer: of the trained encoder, over users with held-out items.
    """
    queries, catalogue = scorer.queries(), scorer.encoder.catalogue
    shelf = ALL if scorer.encoder.exclude_seen else NEW
    values = {}
    for sharpness in _TRIED:
        catalogue.sharpness.assign(sharpness)
        values[sharpness] = new_items_value(scorer, queries, shelf)
    # Of equal values the first one stays: what was trained.
    best = max(values, key=lambda tried: values[tried])
    catalogue.sharpness.assign(best)
    return SharpnessChoice(best, values[best], values[1.0])
