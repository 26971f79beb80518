"""HR@k, NDCG@k, MRR and the numbers of users, all read off one count of ranks per slice.

Examples without a target (rank 0) are left out. A slice without any user has metrics of 0.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis import metrics

from components.ranking_metrics.predictions import RanksPreprocessor
from trainer.evaluation.metrics import user_values

RankCounts = list[Counter[int]]
"""One Counter a model: rank -> examples, with rank 0 for those without a target."""

USERS = "users"
EXAMPLE_COUNT = "example_count"


class _RankMetric(metrics.Metric):
    """A metric of the slice's ranks, known by its name alone."""

    def __init__(self, name: str, **config: Any):
        super().__init__(_computations, name=name)
        self._config = config

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return self._config


class HitRate(_RankMetric):
    """Share of users whose next item is among the first k: `hr@k`."""

    def __init__(self, k: int):
        """Names the metric after k."""
        super().__init__(f"hr@{k}", k=k)


class NextItemNDCG(_RankMetric):
    """NDCG with one relevant item, `1 / log2(rank + 1)` within the first k: `ndcg@k`.

    Not called NDCG: TFMA has a class of that name, and prefers it whatever module is given.
    """

    def __init__(self, k: int):
        """Names the metric after k."""
        super().__init__(f"ndcg@{k}", k=k)


class MRR(_RankMetric):
    """Mean reciprocal rank over the whole catalogue: `mrr`."""

    def __init__(self) -> None:
        """Names the metric."""
        super().__init__("mrr")


class Users(_RankMetric):
    """Number of examples that have a target: `users`."""

    def __init__(self) -> None:
        """Names the metric."""
        super().__init__(USERS)


class Examples(_RankMetric):
    """Number of examples, with a target or not: `example_count`.

    TFMA's own ExampleCount gives the same, but makes TFMA prepare every example a second time.
    """

    def __init__(self) -> None:
        """Names the metric."""
        super().__init__(EXAMPLE_COUNT)


def _computations(
    name: str, model_names: Sequence[str], example_weighted: bool = False
) -> list[Any]:
    """Counts the ranks, once for all metrics of this module, and derives the metric from them."""
    counts = [metrics.MetricKey("_rank_counts", model_name=model) for model in model_names]
    keys = [
        metrics.MetricKey(name, model_name=model, example_weighted=example_weighted)
        for model in model_names
    ]
    return [
        metrics.MetricComputation(
            keys=counts,
            preprocessors=[RanksPreprocessor(model_names)],
            combiner=_CountRanks(counts),
        ),
        metrics.DerivedMetricComputation(
            keys=keys, result=functools.partial(_derive, name, keys, counts)
        ),
    ]


def _derive(
    name: str,
    keys: Sequence[metrics.MetricKey],
    count_keys: Sequence[metrics.MetricKey],
    results: dict[metrics.MetricKey, Any],
) -> dict[metrics.MetricKey, float]:
    return {
        key: _metric(name, results[count_key])
        for key, count_key in zip(keys, count_keys, strict=True)
    }


def _metric(name: str, counts: Counter[int]) -> float:
    examples = sum(counts.values())
    users = examples - counts[0]
    if name == EXAMPLE_COUNT:
        return float(examples)
    if name == USERS or not users:
        return float(users)
    ranks = np.array([rank for rank in counts if rank > 0])
    weights = [counts[rank] for rank in ranks.tolist()]
    return float(np.average(user_values(ranks, name), weights=weights))


class _CountRanks(beam.CombineFn):
    """Counts how many examples have each rank, for each model."""

    def __init__(self, keys: Sequence[metrics.MetricKey]):
        self._keys = list(keys)

    def create_accumulator(self) -> RankCounts:
        return [Counter() for _ in self._keys]

    def add_input(self, accumulator: RankCounts, ranks: tuple[int, ...]) -> RankCounts:
        for counts, rank in zip(accumulator, ranks, strict=True):
            counts[rank] += 1
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[RankCounts]) -> RankCounts:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            for counts, more in zip(merged, accumulator, strict=True):
                counts.update(more)
        return merged

    def extract_output(self, accumulator: RankCounts) -> dict[metrics.MetricKey, Counter[int]]:
        return dict(zip(self._keys, accumulator, strict=True))
