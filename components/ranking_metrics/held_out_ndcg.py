"""NDCG@k of everything that users took next, for each model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from tensorflow_model_analysis import metrics

from components.ranking_metrics.user_values import ModelGain

Sums = list[float]
"""The number of users, then the sum of their values for each model."""


class HeldOutNDCG(metrics.Metric):
    """Mean over users of NDCG@k of all held-out items: `basket_ndcg@k`.

    Of a user who took one item it is the NDCG@k of that item. A user who took nothing is left out.
    """

    def __init__(self, k: int):
        """Names the metric after k."""
        super().__init__(_computations, name=f"basket_ndcg@{k}", k=k)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {key: value for key, value in self.kwargs.items() if key != "name"}


def _computations(
    name: str, k: int, model_names: Sequence[str], example_weighted: bool = False
) -> list[Any]:
    keys = [
        metrics.MetricKey(name, model_name=model, example_weighted=example_weighted)
        for model in model_names
    ]
    sources = [ModelGain(k, model) for model in model_names]
    return [
        metrics.MetricComputation(keys=keys, preprocessors=[_Values(sources)], combiner=_Mean(keys))
    ]


class _Values(metrics.Preprocessor):
    """Reduces an example to one value for each model, or to () where the user took nothing."""

    def __init__(self, sources: Sequence[ModelGain]):
        super().__init__(name="values:" + ",".join(source.name for source in sources))
        self._sources = tuple(sources)

    def process(self, extracts: dict[str, Any]) -> Iterator[tuple[float, ...]]:
        found = [(source, source.answer(extracts)) for source in self._sources]
        yield tuple(source.value(answer) for source, answer in found if answer is not None)


class _Mean(beam.CombineFn):
    """Means of the values."""

    def __init__(self, keys: Sequence[metrics.MetricKey]):
        self._keys = list(keys)

    def create_accumulator(self) -> Sums:
        return [0.0] * (1 + len(self._keys))

    def add_input(self, sums: Sums, values: tuple[float, ...]) -> Sums:
        return _added(sums, (1.0, *values)) if values else sums

    def merge_accumulators(self, accumulators: Iterable[Sums]) -> Sums:
        merged = self.create_accumulator()
        for sums in accumulators:
            merged = _added(merged, sums)
        return merged

    def extract_output(self, sums: Sums) -> dict[metrics.MetricKey, float]:
        users, *totals = sums
        means = [total / users if users else 0.0 for total in totals]
        return dict(zip(self._keys, means, strict=True))


def _added(sums: Sums, more: Sequence[float]) -> Sums:
    return [mine + theirs for mine, theirs in zip(sums, more, strict=True)]
