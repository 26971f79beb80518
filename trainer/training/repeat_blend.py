"""How much the scores of own items lean on the encoder: two numbers, chosen on validation.

On a grocery's log the order of own items is counting, and the encoder only disturbs it; a web
shop's customers come back to what they looked at last, which the encoder sees. `RepeatBonus` can
score by either, and by both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.evaluation.scorer import Scorer

_OFFSETS = (-2.0, 0.0, 2.0, 4.0)
"""Tried where own items are scored by their curves alone, beside the fitted offset: how far they
stand above what is new to a user."""
_SHARES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class RepeatBlend:
    """The choice.

    Attributes:
        encoder_share: see `RepeatBonus`.
        offset: see `RepeatBonus`.
        value: validation NDCG@10 with it.
        alone: validation NDCG@10 with the encoder's scores, `encoder_share` 1.
        curves: validation NDCG@10 with the curves', `encoder_share` 0.
    """

    encoder_share: float
    offset: float
    value: float
    alone: float
    curves: float

    def __str__(self) -> str:
        return (
            f"{self.encoder_share:.0%} the encoder's, the rest the curves'; validation NDCG@10 "
            f"{self.value:.4f} (encoder's {self.alone:.4f}, curves' {self.curves:.4f})"
        )


def choose_blend(scorer: Scorer) -> RepeatBlend:
    """Chooses by validation NDCG@10 and leaves the choice in the encoder's catalogue.

    Args:
        scorer: of the trained encoder, with a bonus of own items that does not blend yet, over
            users with held-out items.
    """
    bonus = scorer.encoder.catalogue.repeat_bonus
    assert bonus is not None
    bonus.blends = True
    scorer = scorer.anew()
    queries = scorer.queries()
    start = float(bonus.offset.numpy())
    values: dict[tuple[float, float], float] = {}

    def measure(share: float, offset: float) -> None:
        bonus.encoder_share.assign(share)
        bonus.offset.assign(offset)
        values[share, offset] = float(np.nanmean(scorer.values(queries)))

    def best() -> tuple[float, float]:
        return max(values, key=lambda tried: values[tried])

    measure(1.0, start)
    alone = values.pop((1.0, start))
    for above in _OFFSETS:
        measure(0.0, start + above)
    curves, offset = values[best()], best()[1]
    for share in _SHARES:
        measure(share, offset)
    # Of equal values the first one stays: the encoder's, which costs the least.
    values = {(1.0, offset): alone, **values}
    share, offset = best()
    bonus.encoder_share.assign(share)
    bonus.offset.assign(offset)
    bonus.blends = share < 1.0
    return RepeatBlend(share, offset, values[share, offset], alone, curves)
