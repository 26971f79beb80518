"""Metrics of the change from baseline to candidate, user by user: both answer for the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from tensorflow_model_analysis import metrics
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.utils import model_util

from components.ranking_metrics.user_values import (
    ModelGain,
    PairPreprocessor,
    UserPair,
    ValueSource,
)

Pairs = Counter[UserPair]
"""How many users there are of each kind."""


class PairedMetric(metrics.Metric):
    """A metric of the change; TFMA makes it anew from what its class was called with."""

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {key: value for key, value in self.kwargs.items() if key != "name"}


def paired_computations(
    names: Sequence[str],
    k: int,
    combiner: Callable[[Sequence[metrics.MetricKey]], CountPairs],
    eval_config: config_pb2.EvalConfig,
    model_names: Sequence[str],
    example_weighted: bool,
    against: ValueSource | None = None,
) -> list[Any]:
    """One computation for each model but the baseline; none without a baseline.

    Args:
        names: of the metrics that the combiner computes; they are of TFMA's kind "difference", to
            which change thresholds apply.
        k: cut-off of the users' values.
        combiner: takes the metrics' keys.
        eval_config: names the baseline.
        model_names: all models.
        example_weighted: as TFMA hands it over.
        against: what to compare with in place of the baseline.
    """
    baseline = model_util.get_baseline_model_spec(eval_config)
    if baseline is None:
        return []
    computations = []
    for model in model_names:
        if model == baseline.name:
            continue
        keys = [
            metrics.MetricKey(
                name, model_name=model, example_weighted=example_weighted, is_diff=True
            )
            for name in names
        ]
        sources = ModelGain(k, model), against or ModelGain(k, baseline.name)
        computations.append(
            metrics.MetricComputation(
                keys=keys, preprocessors=[PairPreprocessor(*sources)], combiner=combiner(keys)
            )
        )
    return computations


def columns(
    pairs: Pairs,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Values of candidate and baseline, and how many users have them: float64 [kinds] each."""
    candidate = np.array([pair.candidate for pair in pairs], np.float64)
    baseline = np.array([pair.baseline for pair in pairs], np.float64)
    return candidate, baseline, np.array(list(pairs.values()), np.float64)


class CountPairs(beam.CombineFn, ABC):
    """Counts the users by what both models are worth to them; what follows is up to a metric."""

    def __init__(self, keys: Sequence[metrics.MetricKey]):
        self._keys = list(keys)

    def create_accumulator(self) -> Pairs:
        """No users yet."""
        return Counter()

    def add_input(self, pairs: Pairs, pair: UserPair | tuple[()]) -> Pairs:
        """Counts one user."""
        if pair:
            pairs[UserPair(*pair)] += 1
        return pairs

    def merge_accumulators(self, accumulators: Iterable[Pairs]) -> Pairs:
        """Adds counts up."""
        merged = self.create_accumulator()
        for pairs in accumulators:
            merged.update(pairs)
        return merged

    def extract_output(self, pairs: Pairs) -> dict[metrics.MetricKey, float]:
        """The metrics of the counted users."""
        return dict(zip(self._keys, self.figures(pairs), strict=True))

    @abstractmethod
    def figures(self, pairs: Pairs) -> Sequence[float]:
        """One figure for each key."""
