"""The gates that a model has to pass before it is pushed, in TFMA's form.

Four gates, on the split that the Evaluator reads:

1. *users*: at least `min_test_users` users were evaluated.
2. *floor*: NDCG@10 overall is at least `min_ndcg_at_10`.
3. *improvement*: NDCG@10 overall is higher than the baseline's by more than `min_improvement`,
   unless both rank every user's next item alike: then only what is served beside the ranking
   differs (the list length, titles), which is no question of quality.
4. *cluster*: in no cluster does NDCG@10 fall by more than `max_cluster_loss`, unless chance
   explains the loss.

What the Evaluator decided is read back by `components.gates.slice_metrics`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from components.gates.config import GatesConfig
from trainer.evaluation.metrics import CUTOFFS
from trainer.raw_history import CLUSTER_ID, HISTORY_LENGTH

if TYPE_CHECKING:
    from tensorflow_model_analysis.proto import config_pb2

CANDIDATE = "candidate"
BASELINE = "baseline"

JUDGED_BY = "ndcg@10"
SIGNIFICANT_CHANGE = "ndcg@10_significant_change"
REQUIRED_GAIN = "ndcg@10_required_gain"
CHANCE = "ndcg@10_chance"
COVERAGE_CUTOFF = 20

STRICTLY = 1e-9
"""TFMA passes a difference that equals its threshold; we want more than that. One user's rank
changes the NDCG of ten million users by more than this."""


def build_eval_config(gates: GatesConfig) -> config_pb2.EvalConfig:
    """The Evaluator's configuration: models, metrics, slices and thresholds.

    Labels are not configured: each model's signature `evaluate` finds the target in the example
    itself and returns its rank.

    Args:
        gates: in the mode "warn" the only threshold is one that always holds. (Without any, the
            Evaluator would bless nothing.)
    """
    from tensorflow_model_analysis.proto import config_pb2

    config = config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(name=CANDIDATE, signature_name="evaluate"),
            config_pb2.ModelSpec(name=BASELINE, signature_name="evaluate", is_baseline=True),
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            config_pb2.SlicingSpec(feature_keys=[CLUSTER_ID]),
            config_pb2.SlicingSpec(feature_keys=[HISTORY_LENGTH]),
        ],
        metrics_specs=[config_pb2.MetricsSpec(metrics=_metrics(gates))],
    )
    config.options.include_default_metrics.value = False
    config.options.disabled_outputs.values.extend(["plots", "attributions", "analysis"])
    return config


def _metrics(gates: GatesConfig) -> list[config_pb2.MetricConfig]:
    """All metrics, with the thresholds on those that are judged."""
    from tensorflow_model_analysis.proto import config_pb2

    def metric(
        class_name: str,
        threshold: config_pb2.PerSliceMetricThreshold | None = None,
        **settings: float,
    ) -> config_pb2.MetricConfig:
        return config_pb2.MetricConfig(
            class_name=class_name,
            module="components.ranking_metrics",
            config=json.dumps(settings),
            per_slice_thresholds=[] if threshold is None else [threshold],
        )

    enforced = gates.mode == "enforce"
    floors = {10: _floor_threshold(gates)} if enforced else {}
    return [
        *(metric("HitRate", k=k) for k in CUTOFFS),
        *(metric("NextItemNDCG", floors.get(k), k=k) for k in CUTOFFS),
        metric("RequiredGain", _gain_threshold(gates) if enforced else None, k=10),
        metric("MRR"),
        metric("CatalogueCoverage", k=COVERAGE_CUTOFF),
        metric(
            "SignificantChange",
            _cluster_threshold(gates) if enforced else None,
            k=10,
            min_users=gates.min_cluster_users,
            confidence=gates.cluster_confidence,
        ),
        metric("Users", _users_threshold(gates.min_test_users if enforced else 0)),
        metric("Examples"),
    ]


def _floor_threshold(gates: GatesConfig) -> config_pb2.PerSliceMetricThreshold:
    """Overall. (A threshold without a slice would apply to every slice.)"""
    from tensorflow_model_analysis.proto import config_pb2

    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(
                lower_bound={"value": gates.min_ndcg_at_10}
            )
        ),
    )


def _gain_threshold(gates: GatesConfig) -> config_pb2.PerSliceMetricThreshold:
    """The improvement overall."""
    from tensorflow_model_analysis.proto import config_pb2

    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=config_pb2.MetricThreshold(
            change_threshold=config_pb2.GenericChangeThreshold(
                direction=config_pb2.MetricDirection.HIGHER_IS_BETTER,
                absolute={"value": gates.min_improvement + STRICTLY},
            )
        ),
    )


def _cluster_threshold(gates: GatesConfig) -> config_pb2.PerSliceMetricThreshold:
    """The same for every cluster."""
    from tensorflow_model_analysis.proto import config_pb2

    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec(feature_keys=[CLUSTER_ID])],
        threshold=config_pb2.MetricThreshold(
            change_threshold=config_pb2.GenericChangeThreshold(
                direction=config_pb2.MetricDirection.HIGHER_IS_BETTER,
                absolute={"value": -gates.max_cluster_loss},
            )
        ),
    )


def _users_threshold(at_least: int) -> config_pb2.PerSliceMetricThreshold:
    """A least number of evaluated users; with 0 any model passes."""
    from tensorflow_model_analysis.proto import config_pb2

    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": float(at_least)})
        ),
    )
