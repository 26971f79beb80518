"""Gate decisions as the Evaluator left them: TFMA's thresholds, measures and failures.

TFMA stores only the thresholds that failed. A reader also wants to see what was passed and by how
much, so the thresholds are taken from the stored configuration and joined with the measures of
every slice that they apply to; whether one failed is TFMA's own word.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_specs
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.slicer import slicer_lib
from tensorflow_model_analysis.utils import model_util
from tensorflow_model_analysis.writers import eval_config_writer

from components.ranking_metrics import required_gain
from components.run_report.inputs import Gate

_Slice = tuple[tuple[str, Any], ...]

# `SignificantChange` and `RequiredGain` of `components.ranking_metrics` judge a change of the
# metric that stands before the suffix.
_SIGNIFICANT = "_significant_change"
_REQUIRED = required_gain.SUFFIX
_CHANCE = "_chance"


def read_gates(folder: str) -> list[Gate]:
    """All gates of an evaluation, those that failed first, then the overall ones.

    Args:
        folder: the ModelEvaluation artifact.

    Raises:
        FileNotFoundError: if there is no evaluation in the folder.
    """
    config = eval_config_writer.load_eval_run(folder)[0]
    if config is None:
        raise FileNotFoundError(f"no TFMA evaluation in {folder}")
    thresholds = metric_specs.metric_thresholds_from_metrics_specs(
        config.metrics_specs, eval_config=config
    )
    if not thresholds:
        return []
    validation = tfma.load_validation_result(folder)
    failures = {
        (_slice_of(entry.slice_key), _key(failure.metric_key), _bytes(failure)): failure
        for entry in validation.metric_validations_per_slice
        for failure in entry.failures
    }
    gates = [
        gate
        for slice_, measures in _measures(folder)
        for gate in _gates_of_slice(config, thresholds, slice_, measures, failures)
        if not _always_holds(gate)
    ]
    gates += _unseen_failures(failures)
    gates += [
        Gate(
            metric="slice present",
            slice=_spec_slice(spec),
            kind="present",
            limit=1,
            passed=False,
            message="no user of the evaluation falls into this slice",
        )
        for spec in validation.missing_slices
    ]
    return sorted(
        gates, key=lambda gate: (gate.passed, bool(gate.slice), _order(gate), gate.metric)
    )


def _gates_of_slice(
    config: Any,
    thresholds: Any,
    slice_: _Slice,
    measures: dict[Any, float],
    failures: dict[Any, Any],
) -> Iterator[Gate]:
    """The gates that apply to one slice; their failures are taken out of `failures`."""
    baseline_spec = model_util.get_baseline_model_spec(config)
    baseline_name = baseline_spec.name if baseline_spec else None
    seen = set()
    for key, limits in thresholds.items():
        if baseline_name is not None and key.model_name == baseline_name:
            continue
        for spec, threshold in limits:
            identity = (key, threshold.SerializeToString())
            if not _applies(spec, slice_) or identity in seen:
                continue
            seen.add(identity)
            failure = failures.pop((slice_, key, threshold.SerializeToString()), None)
            values = _values(key, measures, baseline_name)
            for kind, limit in _limits(threshold):
                judged = _judged(kind, values)
                yield Gate(
                    metric=_plain_name(key),
                    slice={str(name): _text(value) for name, value in slice_},
                    kind=kind,
                    limit=limit,
                    passed=failure is None or _holds(kind, limit, judged),
                    message=" ".join(failure.message.split()) if failure else "",
                    **{**values, "judged": judged},
                )


def _values(
    key: Any, measures: dict[Any, float], baseline_name: str | None
) -> dict[str, float | None]:
    """Candidate, baseline, change, what is judged of it, and chance, as far as measured."""
    plain = key._replace(name=_plain_name(key), is_diff=False)
    baseline = measures.get(plain.make_baseline_key(baseline_name)) if baseline_name else None
    change = measures.get(plain.make_diff_key())
    return {
        "candidate": measures.get(plain),
        "baseline": baseline,
        "change": change,
        "judged": measures.get(key) if key.is_diff else None,
        "chance": measures.get(plain.make_diff_key()._replace(name=plain.name + _CHANCE))
        if key.name.endswith(_SIGNIFICANT)
        else None,
    }


def _plain_name(key: Any) -> str:
    """The metric whose change a key judges; its own name where it judges none."""
    return str(key.name).removesuffix(_SIGNIFICANT).removesuffix(_REQUIRED)


def _judged(kind: str, values: dict[str, float | None]) -> float | None:
    """The value that is held against a limit of this kind."""
    if not kind.startswith("change"):
        return values["candidate"]
    change, baseline = values["judged"], values["baseline"]
    if not kind.endswith("_relative"):
        return change
    return change / baseline if change is not None and baseline else None


def _always_holds(gate: Gate) -> bool:
    """A count that must not be negative: stands for "no gates", which TFMA would not bless."""
    return gate.kind == "at_least" and gate.limit <= 0 and gate.passed


def _unseen_failures(failures: dict[Any, Any]) -> Iterator[Gate]:
    """Failures that no measured slice accounts for: TFMA refused for them, so they are shown."""
    for (slice_, key, _), failure in failures.items():
        for kind, limit in _limits(_threshold(failure)):
            yield Gate(
                metric=_plain_name(key),
                slice={str(name): _text(value) for name, value in slice_},
                kind=kind,
                limit=limit,
                passed=False,
                message=" ".join(failure.message.split()),
            )


def _limits(threshold: Any) -> Iterator[tuple[str, float]]:
    """A threshold as plain (kind, limit) pairs; one threshold may hold two limits."""
    if isinstance(threshold, config_pb2.GenericValueThreshold):
        if threshold.HasField("lower_bound"):
            yield "at_least", threshold.lower_bound.value
        if threshold.HasField("upper_bound"):
            yield "at_most", threshold.upper_bound.value
        return
    higher = threshold.direction == config_pb2.MetricDirection.HIGHER_IS_BETTER
    kind = "change_at_least" if higher else "change_at_most"
    if threshold.HasField("absolute"):
        yield kind, threshold.absolute.value
    if threshold.HasField("relative"):
        yield f"{kind}_relative", threshold.relative.value


def _holds(kind: str, limit: float, judged: float | None) -> bool:
    """Which of the two limits of a failed threshold held; what was not measured did not."""
    if judged is None or math.isnan(judged):
        return False
    return judged >= limit if "at_least" in kind else judged <= limit


def _measures(folder: str) -> Iterator[tuple[_Slice, dict[Any, float]]]:
    """Slice by slice, the measures of candidate, baseline and their difference."""
    for record in tfma.load_metrics(folder):
        if record.HasField("cross_slice_key"):
            continue
        values = {
            _key(entry.key): number
            for entry in record.metric_keys_and_values
            if (number := _number(entry.value)) is not None
        }
        yield _slice_of(record.slice_key), values


def _number(value: Any) -> float | None:
    """The value of a scalar measure, with or without a confidence interval."""
    kind = value.WhichOneof("type")
    if kind == "double_value":
        return float(value.double_value.value)
    if kind == "bounded_value":
        return float(value.bounded_value.value.value)
    return None


def _key(proto: Any) -> Any:
    return tfma.metrics.MetricKey.from_proto(proto)


def _threshold(failure: Any) -> Any:
    """The value or the change threshold that failed."""
    both = failure.metric_threshold
    return both.value_threshold if both.HasField("value_threshold") else both.change_threshold


def _bytes(failure: Any) -> bytes:
    return bytes(_threshold(failure).SerializeToString())


def _slice_of(proto: Any) -> _Slice:
    return tuple(slicer_lib.deserialize_slice_key(proto))


def _applies(spec: Any, slice_: _Slice) -> bool:
    """Whether a threshold's slicing spec covers a slice; no spec covers all of them."""
    if spec is None:
        return True
    if isinstance(spec, config_pb2.CrossSlicingSpec):
        return False
    return slicer_lib.SingleSliceSpec(spec=spec).is_slice_applicable(slice_)


def _spec_slice(spec: Any) -> dict[str, str]:
    keys = dict.fromkeys(spec.feature_keys, "any")
    return {**keys, **dict(spec.feature_values)}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _order(gate: Gate) -> list[tuple[str, int, str]]:
    """Cluster 2 before cluster 10."""
    return [
        (feature, int(value) if value.isdigit() else -1, value)
        for feature, value in gate.slice.items()
    ]
