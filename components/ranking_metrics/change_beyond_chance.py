"""How far NDCG@k changed for sure, against what is asked for.

What costs nothing must be beaten. What is served need not be: a model that was trained again on
newer data is about as good, and shall go on. There it is enough that the model is not worse than a
margin. Both ask for the same figure, the lowest relative change that chance leaves
(`trainer.evaluation.chance.least_change`).

A model that ranks every user's next item just as the served one does is of the same quality: what
differs is what is served beside the ranking, such as the length of the lists or the titles. However
few users there are, chance is no question then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorflow_model_analysis import metrics
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics.paired import (
    CountPairs,
    PairedMetric,
    Pairs,
    columns,
    paired_computations,
)
from trainer.evaluation.chance import least_change


class ChangeBeyondChance(PairedMetric):
    """The lowest change of NDCG@k that chance leaves, and the change that is asked for.

    Two metrics of the candidate, both of TFMA's kind "difference", so that a change threshold
    applies to the first:

    - `basket_ndcg@k_beyond_asked`: the lowest relative change minus the one asked for; the
      model passes from 0 on. Infinite where the served model ranks every target alike.
    - `basket_ndcg@k_asked`: the relative change that is asked for: 0 against a free baseline, minus
      `max_loss` against what is served.
    """

    def __init__(self, k: int, max_loss: float, confidence: float):
        """Names the metric after k.

        Args:
            k: cut-off of NDCG@k.
            max_loss: share of the served model's NDCG@k that may be lost, in [0, 1).
            confidence: one-sided, in (0, 1).
        """
        super().__init__(
            _computations,
            name=f"basket_ndcg@{k}_beyond_asked",
            k=k,
            max_loss=max_loss,
            confidence=confidence,
        )


def _computations(
    name: str,
    k: int,
    max_loss: float,
    confidence: float,
    eval_config: config_pb2.EvalConfig,
    model_names: Sequence[str],
    example_weighted: bool = False,
) -> list[Any]:
    return paired_computations(
        [name, f"basket_ndcg@{k}_asked"],
        k,
        lambda keys: _LeastChange(keys, max_loss, confidence),
        eval_config,
        model_names,
        example_weighted,
    )


class _LeastChange(CountPairs):
    """See `ChangeBeyondChance`."""

    def __init__(self, keys: Sequence[metrics.MetricKey], max_loss: float, confidence: float):
        super().__init__(keys)
        self._max_loss, self._confidence = max_loss, confidence

    def figures(self, pairs: Pairs) -> Sequence[float]:
        asked = 0.0 if any(pair.free for pair in pairs) else -self._max_loss
        if pairs and all(pair.alike and not pair.free for pair in pairs):
            return math.inf, asked
        candidate, baseline, counts = columns(pairs)
        return least_change(candidate, baseline, self._confidence, counts) - asked, asked
