"""The gates that a model has to pass before it is pushed, in TFMA's form.

Five gates, on the split that the Evaluator reads:

NDCG@10 is that of everything that a user took next.

1. *users*: at least `min_test_users` users were evaluated.
2. *floor*: NDCG@10 overall is at least `min_ndcg_at_10`.
3. *free*: NDCG@10 overall is higher, beyond chance, than that of the best baseline that needs
   counting only, at every run.
4. *change*: NDCG@10 overall is higher than a free baseline's, beyond chance; or no more than
   `max_loss` lower than the served model's, beyond chance, unless both rank what every user took
   next alike: then only what is served beside the ranking differs (the list length, titles), which
   is no question of quality.
5. *cluster*: in no cluster did NDCG@10 fall by more than `max_cluster_loss`, beyond what chance
   explains among so many clusters.

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

JUDGED_BY = "basket_ndcg@10"
"""NDCG@10 of everything that a user took next; of one item, its NDCG@10."""
BEYOND_ASKED = f"{JUDGED_BY}_beyond_asked"
ASKED = f"{JUDGED_BY}_asked"
LOSS_P_VALUE = f"{JUDGED_BY}_loss_p_value"
LEAD_OVER_FREE = f"{JUDGED_BY}_lead_over_free"
FREE_VALUE = f"{JUDGED_BY}_free"
COVERAGE_CUTOFF = 20

# TFMA's name for it. Without one, it first loads every model as one of legacy Keras, to find out.
_SAVED_MODEL = "tf_generic"

STRICTLY = 1e-9
"""TFMA passes a p-value that equals its threshold; we want more than that."""


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
            config_pb2.ModelSpec(
                name=CANDIDATE, signature_name="evaluate", model_type=_SAVED_MODEL
            ),
            config_pb2.ModelSpec(
                name=BASELINE, signature_name="evaluate", model_type=_SAVED_MODEL, is_baseline=True
            ),
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


def error_rate(gates: GatesConfig) -> float:
    """Largest p-value that is not laid to chance."""
    return 1 - gates.confidence


def _metrics(gates: GatesConfig) -> list[config_pb2.MetricConfig]:
    """All metrics, with the thresholds on those that are judged."""
    from tensorflow_model_analysis.proto import config_pb2

    def metric(
        class_name: str,
        *thresholds: config_pb2.PerSliceMetricThreshold,
        **settings: float,
    ) -> config_pb2.MetricConfig:
        return config_pb2.MetricConfig(
            class_name=class_name,
            module="components.ranking_metrics",
            config=json.dumps(settings),
            per_slice_thresholds=thresholds,
        )

    enforced = gates.mode == "enforce"
    floor = [_floor_threshold(gates)] if enforced else []
    return [
        *(metric("HitRate", k=k) for k in CUTOFFS),
        *(metric("NextItemNDCG", k=k) for k in CUTOFFS),
        metric("HeldOutNDCG", *floor, k=10),
        metric(
            "LeadOverFree",
            *([_at_least(STRICTLY)] if enforced else ()),
            k=10,
            confidence=gates.confidence,
        ),
        metric(
            "ChangeBeyondChance",
            *([_at_least(0.0)] if enforced else ()),
            k=10,
            max_loss=gates.max_loss,
            confidence=gates.confidence,
        ),
        metric("MRR"),
        metric("CatalogueCoverage", k=COVERAGE_CUTOFF),
        metric(
            "ClusterLoss",
            *([_at_least(error_rate(gates) + STRICTLY)] if enforced else ()),
            k=10,
            max_loss=gates.max_cluster_loss,
            min_users=gates.min_cluster_users,
        ),
        metric(
            "Users",
            _users_threshold(gates.min_test_users if enforced else 0),
            # Fails where there are no clusters at all, of which then nothing was judged.
            *([_users_threshold(0, CLUSTER_ID)] if enforced else ()),
        ),
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


def _at_least(value: float) -> config_pb2.PerSliceMetricThreshold:
    """For a metric of the pair of models, overall."""
    from tensorflow_model_analysis.proto import config_pb2

    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=config_pb2.MetricThreshold(
            change_threshold=config_pb2.GenericChangeThreshold(
                direction=config_pb2.MetricDirection.HIGHER_IS_BETTER, absolute={"value": value}
            )
        ),
    )


def _users_threshold(at_least: int, *features: str) -> config_pb2.PerSliceMetricThreshold:
    """A least number of evaluated users, overall or by features; with 0 whatever slice there is."""
    from tensorflow_model_analysis.proto import config_pb2

    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec(feature_keys=features)],
        threshold=config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": float(at_least)})
        ),
    )
