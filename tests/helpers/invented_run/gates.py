"""An evaluation as TFMA stores it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from scipy.special import ndtr
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.proto import config_pb2, validation_result_pb2
from tensorflow_model_analysis.writers import metrics_plots_and_validations_writer as writer

from components.gates.config import GatesConfig
from components.gates.eval_config import (
    ASKED,
    BASELINE,
    BEYOND_ASKED,
    CANDIDATE,
    FREE_VALUE,
    JUDGED_BY,
    LEAD_OVER_FREE,
    LOSS_P_VALUE,
    build_eval_config,
)
from trainer.evaluation.chance import holm


def write_evaluation(
    folder: Path, scores: dict[int | None, Sequence[float]], gates: GatesConfig | None = None
) -> str:
    """An evaluation as TFMA stores it, judged by TFMA's own validator.

    Args:
        folder: of the ModelEvaluation artifact.
        scores: by cluster (None = all users) NDCG@10 of candidate and baseline, and the largest
            difference that chance explains: 1.645 standard errors. The best free baseline has half
            of the candidate's.
        gates: what the Evaluator asks for; the baseline counts as served.
    """
    gates = gates or GatesConfig()
    config = tfma.utils.update_eval_config_with_defaults(
        build_eval_config(gates), has_baseline=True
    )

    def p_value(candidate: float, baseline: float, chance: float) -> float:
        return float(ndtr(1.645 * (candidate - baseline + gates.max_cluster_loss) / chance))

    smallest = min(
        holm([p_value(*found) for cluster, found in scores.items() if cluster is not None]),
        default=1.0,
    )
    result = validation_result_pb2.ValidationResult(validation_ok=True)
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "metrics-00000-of-00001.tfrecord")) as metrics_file:
        for cluster, (candidate, baseline, chance) in scores.items():
            slice_ = () if cluster is None else (("cluster_id", cluster),)
            change = candidate - baseline
            measures = {
                _key("users"): 1000.0,
                _key(JUDGED_BY): candidate,
                _key(JUDGED_BY, BASELINE): baseline,
                _key(JUDGED_BY, is_diff=True): change,
                _key(FREE_VALUE, is_diff=True): candidate / 2,
                _key(LEAD_OVER_FREE, is_diff=True): 0.5,
                _key(BEYOND_ASKED, is_diff=True): (change - chance) / baseline + gates.max_loss,
                _key(ASKED, is_diff=True): -gates.max_loss,
                _key(LOSS_P_VALUE, is_diff=True): p_value(candidate, baseline, chance),
                _key(f"{JUDGED_BY}_cluster_p_value", is_diff=True): smallest,
            }
            part = metrics_validator.validate_metrics((slice_, measures), config)
            result.validation_ok &= part.validation_ok
            result.metric_validations_per_slice.extend(part.metric_validations_per_slice)
            metrics_validator.merge_details(result, part)
            record = writer.convert_slice_metrics_to_proto((slice_, measures), None)
            metrics_file.write(record.SerializeToString())
    missing = metrics_validator.get_missing_slices(
        result.validation_details.slicing_details, config
    )
    result.missing_slices.extend(missing)
    with tf.io.TFRecordWriter(str(folder / "validations.tfrecord")) as file:
        file.write(result.SerializeToString())
    run = config_pb2.EvalRun(eval_config=config, version=tfma.__version__)
    (folder / "eval_config.json").write_text(json_format.MessageToJson(run), encoding="utf-8")
    return str(folder)


def _key(name: str, model: str = CANDIDATE, *, is_diff: bool = False) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=name, model_name=model, is_diff=is_diff)
