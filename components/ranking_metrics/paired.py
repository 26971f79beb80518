"""Metrics of the change from baseline to candidate, user by user: both rank the same targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from tensorflow_model_analysis import metrics
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.utils import model_util

from components.ranking_metrics.predictions import RanksPreprocessor


def paired_computations(
    names: Sequence[str],
    combiner: Callable[[Sequence[metrics.MetricKey]], beam.CombineFn],
    eval_config: config_pb2.EvalConfig,
    model_names: Sequence[str],
    example_weighted: bool,
) -> list[Any]:
    """One computation for each model but the baseline; none without a baseline.

    Args:
        names: of the metrics that the combiner computes; they are of TFMA's kind "difference", to
            which change thresholds apply.
        combiner: takes the metrics' keys. Its inputs are pairs of ranks, the candidate's first; 0
            means that the example has no target.
        eval_config: names the baseline.
        model_names: all models.
        example_weighted: as TFMA hands it over.
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
        computations.append(
            metrics.MetricComputation(
                keys=keys,
                preprocessors=[RanksPreprocessor([model, baseline.name])],
                combiner=combiner(keys),
            )
        )
    return computations
