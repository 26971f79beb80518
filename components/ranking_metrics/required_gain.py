"""The gain in NDCG@k that a model is asked for, where there is anything to gain.

A model that ranks every user's next item just as the served one does is of the same quality: what
differs is what is served beside the ranking, such as the length of the lists or the titles. It
would never be "better", and so never be pushed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis import metrics
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics.paired import paired_computations
from trainer.evaluation.metrics import user_values

SUFFIX = "_required_gain"

_Sums = tuple[int, int, float]
"""Users, users whose ranks differ, and the sum of their differences in NDCG@k."""


class RequiredGain(metrics.Metric):
    """Candidate minus baseline in NDCG@k; infinite where both rank every target alike.

    `ndcg@k_required_gain`, a metric of TFMA's kind "difference", so that a change threshold applies
    to it. A slice without users has 0.
    """

    def __init__(self, k: int):
        """Names the metric after k."""
        super().__init__(_computations, name=f"ndcg@{k}{SUFFIX}", k=k)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {"k": self.kwargs["k"]}


def _computations(
    name: str,
    k: int,
    eval_config: config_pb2.EvalConfig,
    model_names: Sequence[str],
    example_weighted: bool = False,
) -> list[Any]:
    return paired_computations(
        [name], lambda keys: _Gain(keys[0], k), eval_config, model_names, example_weighted
    )


class _Gain(beam.CombineFn):
    """Mean difference in NDCG@k over the users, and whether any of them is ranked otherwise."""

    def __init__(self, key: metrics.MetricKey, k: int):
        self._key, self._metric = key, f"ndcg@{k}"

    def create_accumulator(self) -> _Sums:
        return 0, 0, 0.0

    def add_input(self, sums: _Sums, ranks: tuple[int, int]) -> _Sums:
        if min(ranks) <= 0:
            return sums
        users, otherwise, gain = sums
        if ranks[0] == ranks[1]:
            return users + 1, otherwise, gain
        values = user_values(np.array(ranks), self._metric)
        return users + 1, otherwise + 1, gain + float(values[0] - values[1])

    def merge_accumulators(self, accumulators: Iterable[_Sums]) -> _Sums:
        users, otherwise, gains = zip(*accumulators, strict=True)
        return sum(users), sum(otherwise), math.fsum(gains)

    def extract_output(self, sums: _Sums) -> dict[metrics.MetricKey, float]:
        users, otherwise, gain = sums
        if users and not otherwise:
            return {self._key: math.inf}
        return {self._key: gain / users if users else 0.0}
