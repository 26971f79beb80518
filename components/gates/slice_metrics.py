"""The one reader of what TFMA wrote: metrics by slice, and failures that no gate accounts for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from components.gates.eval_config import BASELINE, CANDIDATE

if TYPE_CHECKING:
    from tensorflow_model_analysis.proto import metrics_for_slice_pb2

OVERALL = "overall"


@dataclasses.dataclass(frozen=True)
class SliceMetrics:
    """Metrics of the users of one slice.

    Attributes:
        feature: name of the feature that defines the slice; "" overall.
        value: its value in this slice; "" overall.
        candidate: metric name to value, of the new model.
        baseline: the same of the baseline.
        change: candidate minus baseline, and what is only defined for the pair.
    """

    feature: str
    value: str
    candidate: dict[str, float]
    baseline: dict[str, float]
    change: dict[str, float]


def read_metrics(evaluation_uri: str) -> dict[str, SliceMetrics]:
    """All metrics of an evaluation.

    Args:
        evaluation_uri: of the ModelEvaluation artifact.

    Returns:
        Metrics by slice: "overall", "cluster_id:3", "history_length:5-9", …
    """
    import tensorflow_model_analysis as tfma

    slices = [_slice_metrics(record) for record in tfma.load_metrics(evaluation_uri)]
    return {
        f"{metrics.feature}:{metrics.value}" if metrics.feature else OVERALL: metrics
        for metrics in slices
    }


def other_failures(evaluation_uri: str) -> Iterator[str]:
    """Why the Evaluator refused the model, in sentences, as TFMA itself says it."""
    import tensorflow_model_analysis as tfma

    result = tfma.load_validation_result(evaluation_uri)
    for spec in result.missing_slices:
        if spec.feature_keys:
            yield (
                f"no evaluated example has the feature {', '.join(spec.feature_keys)!r}, so its "
                "slices cannot be judged"
            )
        else:
            yield "the evaluated split holds no examples"
    if not result.validation_ok and not result.missing_slices:
        failures = [
            f"{failure.metric_key.name} ({failure.message.strip() or 'threshold not met'})"
            for record in result.metric_validations_per_slice
            for failure in record.failures
        ]
        yield "the Evaluator refused the model: " + (", ".join(failures) or "no reason given")


def _slice_metrics(record: metrics_for_slice_pb2.MetricsForSlice) -> SliceMetrics:
    values: dict[str, dict[str, float]] = {CANDIDATE: {}, BASELINE: {}, "change": {}}
    for entry in record.metric_keys_and_values:
        side = "change" if entry.key.is_diff else entry.key.model_name
        values[side][entry.key.name] = entry.value.double_value.value
    keys = record.slice_key.single_slice_keys
    return SliceMetrics(
        feature=keys[0].column if keys else "",
        value=_slice_value(keys[0]) if keys else "",
        candidate=values[CANDIDATE],
        baseline=values[BASELINE],
        change=values["change"],
    )


def _slice_value(key: Any) -> str:
    value = getattr(key, key.WhichOneof("kind"))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
