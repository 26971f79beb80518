"""Catalogue coverage: how much of what could be recommended is recommended to anyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
from tensorflow_model_analysis import metrics

from components.ranking_metrics.predictions import RecommendedPreprocessor

Lists = list[tuple[set[bytes], int]]
"""One entry a model: the distinct items recommended, and the size of its catalogue."""


class CatalogueCoverage(metrics.Metric):
    """Distinct items in the first k of all lists of a slice / size of the catalogue: `coverage@k`.

    Examples without a target count too: they are recommended something. The more users a slice
    has, the higher its coverage; compare models on the same slice, not slices.
    """

    def __init__(self, k: int):
        """Names the metric after k; the signature `evaluate` gives at most 20 items."""
        super().__init__(_computations, name=f"coverage@{k}", k=k)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {"k": self.kwargs["k"]}


def _computations(
    name: str, k: int, model_names: Sequence[str], example_weighted: bool = False
) -> list[Any]:
    keys = [
        metrics.MetricKey(name, model_name=model, example_weighted=example_weighted)
        for model in model_names
    ]
    return [
        metrics.MetricComputation(
            keys=keys,
            preprocessors=[RecommendedPreprocessor(model_names, k)],
            combiner=_Coverage(keys),
        )
    ]


class _Coverage(beam.CombineFn):
    """Collects the distinct recommended items of each model."""

    def __init__(self, keys: Sequence[metrics.MetricKey]):
        self._keys = list(keys)

    def create_accumulator(self) -> Lists:
        return [(set(), 0) for _ in self._keys]

    def add_input(self, accumulator: Lists, element: tuple[tuple[list[bytes], int], ...]) -> Lists:
        sizes = [size for _, size in element]
        for (items, _), (recommended, _) in zip(accumulator, element, strict=True):
            items.update(recommended)
        return [(items, size) for (items, _), size in zip(accumulator, sizes, strict=True)]

    def merge_accumulators(self, accumulators: Iterable[Lists]) -> Lists:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged = [
                (items | more, max(size, other))
                for (items, size), (more, other) in zip(merged, accumulator, strict=True)
            ]
        return merged

    def extract_output(self, accumulator: Lists) -> dict[metrics.MetricKey, float]:
        return {
            key: len(items - {b""}) / size if size else 0.0
            for key, (items, size) in zip(self._keys, accumulator, strict=True)
        }
