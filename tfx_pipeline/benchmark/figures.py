"""The benchmark's figures: metrics with intervals, from the ranks of a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from components.behavior_example_gen.quality_record import DataQualityRecord
from components.cluster_combiner.record import CombinationRecord, ComparisonRecord
from tfx_pipeline.dag import nodes
from tfx_pipeline.local.local_runner import Outcome
from trainer.evaluation.compared_models import (
    COMBINER,
    ENCODER,
    GLOBAL,
    IN_RESULTS,
    OWN_ITEMS,
    PEERS,
)
from trainer.evaluation.metrics import (
    Interval,
    bootstrap_interval,
    metric_names,
    paired_difference,
    user_values,
)
from trainer.raw_history import ITEM_IDS, TARGET_ITEM_IDS, TEST, VALIDATION
from trainer.training.training_record import TrainingRecord

SPLITS = (VALIDATION, TEST)
# Seen items are left out of the ranking, so that nothing of one's own is left.
MODELS = tuple(model for model in IN_RESULTS if model != OWN_ITEMS)
CONFIDENCE = 0.95
TRANSITIONS = (GLOBAL, ENCODER)
"""What item transitions are worth; `encoder` is the global encoder without them."""
DIFFERENCES = (
    (COMBINER, GLOBAL),
    (COMBINER, ENCODER),
    *((COMBINER, peer) for peer in PEERS),
    TRANSITIONS,
)
"""Pairs of models, as far as a run has them."""


def split_figures(ranks: pl.DataFrame) -> dict[str, Any]:
    """The figures of one split.

    Args:
        ranks: integer columns `MODELS`, a row per user, 1-based ranks; `encoder` only where there
            are item transitions, a peer only where it was asked for.

    Returns:
        `users`, and `models`: model (and "a - b" of the `DIFFERENCES`, paired by user) to metric to
        mean, low, high, the ends of the 95 % interval: bootstrap, of differences Student's t.
    """
    columns = {model: ranks[model].to_numpy() for model in MODELS if model in ranks.columns}
    models = {
        model: {metric: _figure(_interval(of, metric)) for metric in metric_names()}
        for model, of in columns.items()
    }
    for a, b in DIFFERENCES:
        if b in columns:
            models[f"{a} - {b}"] = {
                metric: _figure(paired_difference(columns[a], columns[b], metric, CONFIDENCE))
                for metric in metric_names()
            }
    return {"users": ranks.height, "models": models}


def run_figures(outcome: Outcome) -> dict[str, Any]:
    """Everything that the benchmark reports about the models of a run.

    Args:
        outcome: of a run whose components all succeeded.

    Returns:
        splits: see `split_figures`, with the number of users whose next item is in their own
            history (`targets_in_history`).
        data: users and items of the log, and how many users are too short to be evaluated.
        combination: strengths, and why.
        peers: how they were chosen; None where none was asked for.
        derived: what the data decided about the recipe, with reasons.
        baseline, gates: what the gates compared with, and said.
    """
    comparison = outcome.artifact(nodes.COMBINER, "comparison")
    ranks = pl.read_parquet(comparison / "ranks.parquet")
    examples = outcome.artifact(nodes.INGESTION, "examples")
    splits = {
        split: split_figures(ranks.filter(pl.col("split") == split))
        | {"targets_in_history": targets_in_history(examples / f"Split-{split}")}
        for split in SPLITS
    }
    account = DataQualityRecord.read(str(outcome.artifact(nodes.INGESTION, "data_quality")))
    training = TrainingRecord.read(str(outcome.artifact(nodes.ENCODER_TRAINER, "model_run")))
    return {
        "data": {
            "users": account.users,
            "items": account.items,
            "interactions": account.events_kept,
            "users_too_short": account.users - account.split.histories[TEST],
            "dropped": account.dropped,
            "notes": account.notes,
        },
        "splits": splits,
        "combination": CombinationRecord.read(str(comparison)).to_json(),
        "peers": ComparisonRecord.read(str(comparison)).to_json()["peers"],
        "derived": training.to_json()["derived"],
        "baseline": outcome.verdict.against,
        "gates": [asdict(decision) for decision in outcome.verdict.decisions],
    }


def targets_in_history(split: Path) -> int:
    """How many users of a split have their next item in their history.

    They count as misses: a list from which seen items are left out can never contain the item.

    Args:
        split: folder with the split's GZIP TFRecord files of histories.
    """
    import tensorflow as tf

    files = sorted(str(path) for path in split.glob("*.gz"))
    found = 0
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        targets = feature[TARGET_ITEM_IDS].bytes_list.value
        found += bool(targets) and targets[0] in set(feature[ITEM_IDS].bytes_list.value)
    return found


def _interval(ranks: npt.NDArray[np.integer], metric: str) -> Interval:
    return bootstrap_interval(user_values(ranks, metric), CONFIDENCE)


def _figure(interval: Interval) -> dict[str, float]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}
