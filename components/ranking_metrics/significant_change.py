"""The change of NDCG@k against the baseline, user by user, where it is more than chance.

A cluster of 200 users has a standard error of about .02 in NDCG@10: a threshold on the plain
difference would refuse every second model there for nothing. Both models answer for the same
users, so the differences can be paired; their standard error says what chance explains.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis import metrics
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics.paired import paired_computations
from trainer.evaluation.metrics import user_values

RankPairs = Counter[tuple[int, int]]
"""Users by the ranks that candidate and baseline gave; everything beyond k is k + 1."""


class SignificantChange(metrics.Metric):
    """Candidate minus baseline in NDCG@k where that is certain enough, 0 elsewhere.

    Two metrics of the candidate, both of TFMA's kind "difference", so that a change threshold
    applies to the first:

    - `ndcg@k_significant_change`: the mean difference if it lies outside what chance explains and
      the slice has at least `min_users` users; else 0.
    - `ndcg@k_chance`: the largest difference that chance explains: half the width of the paired
      normal interval (1 for fewer than two users: anything may be chance).
    """

    def __init__(self, k: int, min_users: int, confidence: float):
        """Names the metric after k.

        Args:
            k: cut-off of NDCG@k.
            min_users: slices with fewer users show no change.
            confidence: of the two-sided interval, in [0, 1); 0 takes every difference for real.
        """
        super().__init__(
            _computations,
            name=f"ndcg@{k}_significant_change",
            k=k,
            min_users=min_users,
            confidence=confidence,
        )

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {key: value for key, value in self.kwargs.items() if key != "name"}


def _computations(
    name: str,
    k: int,
    min_users: int,
    confidence: float,
    eval_config: config_pb2.EvalConfig,
    model_names: Sequence[str],
    example_weighted: bool = False,
) -> list[Any]:
    return paired_computations(
        [name, f"ndcg@{k}_chance"],
        lambda keys: _PairedChange(keys[0], keys[1], k, min_users, confidence),
        eval_config,
        model_names,
        example_weighted,
    )


class _PairedChange(beam.CombineFn):
    """Mean and standard error of the users' differences in NDCG@k."""

    def __init__(
        self,
        change: metrics.MetricKey,
        chance: metrics.MetricKey,
        k: int,
        min_users: int,
        confidence: float,
    ):
        self._change, self._chance = change, chance
        self._k = k
        self._min_users = min_users
        self._deviations = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)

    def create_accumulator(self) -> RankPairs:
        return Counter()

    def add_input(self, pairs: RankPairs, ranks: tuple[int, int]) -> RankPairs:
        if min(ranks) > 0:
            pairs[min(ranks[0], self._k + 1), min(ranks[1], self._k + 1)] += 1
        return pairs

    def merge_accumulators(self, accumulators: Iterable[RankPairs]) -> RankPairs:
        merged = self.create_accumulator()
        for pairs in accumulators:
            merged.update(pairs)
        return merged

    def extract_output(self, pairs: RankPairs) -> dict[metrics.MetricKey, float]:
        users = sum(pairs.values())
        if users < 2:
            return {self._change: 0.0, self._chance: 1.0}
        weights = np.array(list(pairs.values()))
        gains = user_values(np.array(list(pairs)), f"ndcg@{self._k}")
        differences = gains[:, 0] - gains[:, 1]
        mean = float(np.average(differences, weights=weights))
        variance = float(np.sum(weights * (differences - mean) ** 2)) / (users - 1)
        chance = self._deviations * math.sqrt(variance / users)
        judged = users >= self._min_users and abs(mean) > chance
        return {self._change: mean if judged else 0.0, self._chance: chance}
