"""How far a model is ahead of the best free baseline for sure.

A rule that needs counting only costs no training and no GPU. A model that is not better than the
best of them, beyond chance, is not worth serving, whatever is served today.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorflow_model_analysis import metrics
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics.paired import (
    CountPairs,
    PairedMetric,
    Pairs,
    columns,
    paired_computations,
)
from components.ranking_metrics.user_values import FreeListGain
from trainer.evaluation.chance import least_change


class LeadOverFree(PairedMetric):
    """The lowest lead over the best free baseline that chance leaves.

    Two metrics of the candidate, both of TFMA's kind "difference", so that a change threshold
    applies to the first:

    - `basket_ndcg@k_lead_over_free`: the lowest relative lead; the model passes above 0.
    - `basket_ndcg@k_free`: mean of the free baseline's values.
    """

    def __init__(self, k: int, confidence: float):
        """Names the metric after k.

        Args:
            k: cut-off of NDCG@k.
            confidence: one-sided, in (0, 1).
        """
        super().__init__(
            _computations, name=f"basket_ndcg@{k}_lead_over_free", k=k, confidence=confidence
        )


def _computations(
    name: str,
    k: int,
    confidence: float,
    eval_config: config_pb2.EvalConfig,
    model_names: Sequence[str],
    example_weighted: bool = False,
) -> list[Any]:
    return paired_computations(
        [name, f"basket_ndcg@{k}_free"],
        k,
        lambda keys: _Lead(keys, confidence),
        eval_config,
        model_names,
        example_weighted,
        against=FreeListGain(k),
    )


class _Lead(CountPairs):
    """See `LeadOverFree`."""

    def __init__(self, keys: Sequence[metrics.MetricKey], confidence: float):
        super().__init__(keys)
        self._confidence = confidence

    def figures(self, pairs: Pairs) -> Sequence[float]:
        candidate, free, counts = columns(pairs)
        mean = float(np.average(free, weights=counts)) if counts.size else 0.0
        return least_change(candidate, free, self._confidence, counts), mean
