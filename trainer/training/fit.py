"""Fitting a next-item model with early stopping; the encoder and the specialists share it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from trainer.config import OptimizerConfig
from trainer.data.histories import Histories
from trainer.data.sampling import SampleBatches
from trainer.evaluation.scorer import Scorer
from trainer.training.callbacks import EpochProgress, ResumableEarlyStopping, ValidationRanking
from trainer.training.next_item_model import NextItemModel
from trainer.training.optimizer import build_optimizer
from trainer.training.schedule import planned_epochs
from trainer.training.weight_average import AverageWeights


@dataclass(frozen=True)
class FitResult:
    """What training did: the figures of each epoch and the best one (0 = the start)."""

    epochs: list[dict[str, float]]
    best_epoch: int
    best: float
    samples: int
    planned: int = 0
    """The most epochs that there could have been; 0 if nothing was trained."""


def fit(
    model: NextItemModel,
    train: Histories,
    validation: Histories,
    config: OptimizerConfig,
    *,
    seed: int,
    checkpoints: Path,
    tensorboard: Path,
    start_counts: bool = False,
) -> FitResult:
    """Trains until the validation NDCG@10 stops rising and leaves the best weights in the model.

    Args:
        model: built; within the scope of a `tf.distribute` strategy, if one is wanted.
        train: histories to draw samples from.
        validation: histories with held-out items; at most `config.validation_users` are scored.
        config: epochs, batch size, learning rate and so on.
        seed: for batches; weights and dropout follow Keras' seed.
        checkpoints: a restarted run with the same folder goes on from the last epoch in it. The
            caller removes it once the result is saved.
        tensorboard: where TensorBoard logs go.
        start_counts: whether the weights to start from are a result that has to be beaten.
    """
    batches = SampleBatches(
        train,
        items=model.encoder.catalogue.items,
        batch_size=config.batch_size,
        samples_per_epoch=config.samples_per_epoch,
        max_targets=config.max_targets,
        later_items=model.later_items,
        max_events=model.encoder.tower.max_events,
        own_events=model.encoder.own_events,
        seed=seed,
        period=model.period,
        first_is_next=model.first_is_next,
    )
    scorer = Scorer(model.encoder, sample_users(validation, config.validation_users, seed))

    def measure() -> float:
        return float(np.nanmean(scorer.values(scorer.queries())))

    steps = batches.steps_per_epoch
    epochs = planned_epochs(config, steps)
    optimizer = build_optimizer(config, epochs, steps)
    # Keras would create its variables in the first step, and TensorFlow trace the step once more.
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, jit_compile=False)
    checkpoints.mkdir(parents=True, exist_ok=True)
    stopping = ResumableEarlyStopping(
        checkpoints, config.patience, measure() if start_counts else None
    )
    backup = keras.callbacks.BackupAndRestore(str(checkpoints / "last"), delete_checkpoint=False)
    average = AverageWeights()
    model.fit(
        batches.dataset(first_epoch=len(stopping.epochs)),
        epochs=epochs,
        steps_per_epoch=steps,
        verbose=0,
        callbacks=[
            average,
            ValidationRanking(measure),
            stopping,
            EpochProgress(stopping, epochs),
            average.undo,
            keras.callbacks.TensorBoard(str(tensorboard), write_graph=False),
            backup,
        ],
    )
    return FitResult(
        stopping.epochs, stopping.best_epoch or 0, float(stopping.best), len(batches), epochs
    )


def sample_users(histories: Histories, limit: int, seed: int) -> Histories:
    """Histories that have a target; at most `limit` of them, the same ones for the same seed."""
    users = np.flatnonzero(histories.next_item > 0)
    if len(users) > limit:
        users = np.sort(np.random.default_rng(seed).choice(users, limit, replace=False))
    return histories.take(users)


def checkpoint_folder(root: str, node: str, files: Sequence[str], settings: str) -> Path:
    """Where this training keeps its checkpoints: the same for the same data and settings."""
    content = hashlib.blake2b(settings.encode(), digest_size=8)
    for pattern in sorted(files):
        for path in sorted(tf.io.gfile.glob(pattern)):
            content.update(path.encode())
            content.update(str(tf.io.gfile.stat(path).length).encode())
    return Path(root) / f"{node}-{content.hexdigest()}"
