"""Masked-item pre-training before the next-item training, resumable as that one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from trainer.config import TrainingConfig
from trainer.data.histories import Histories
from trainer.encoder.encoder import BehaviorEncoder
from trainer.progress import progress
from trainer.training.callbacks import EpochFigures
from trainer.training.masked_batches import MaskedBatches
from trainer.training.masked_item_model import MaskedItemModel
from trainer.training.optimizer import build_optimizer
from trainer.whole_files import whole_file


def pretrain(
    encoder: BehaviorEncoder,
    train: Histories,
    config: TrainingConfig,
    *,
    sampled_items: int | None,
    seed: int,
    checkpoints: Path,
) -> list[dict[str, float]]:
    """Trains the encoder to guess hidden items, and leaves the averaged weights in it.

    There is no validation: all epochs are run, over which the learning rate rises and falls by
    itself.

    Args:
        encoder: built; within the scope of a `tf.distribute` strategy, if one is wanted.
        train: histories to hide items of.
        config: `pretraining_epochs`, `masked_share` and the optimizer's settings.
        sampled_items: size of the sampled softmax; None for the full one.
        seed: for batches; weights and dropout follow Keras' seed.
        checkpoints: a restarted run with the same folder goes on from the last epoch in it; a
            finished pre-training is not run again.

    Returns:
        `epoch`, `loss` and `seconds` of each epoch; nothing without `pretraining_epochs`.

    Raises:
        ValueError: see `MaskedBatches`.
    """
    if not config.pretraining_epochs:
        return []
    folder = checkpoints / "pretraining"
    folder.mkdir(parents=True, exist_ok=True)
    figures = PretrainingFigures(folder / "epochs.json", config.pretraining_epochs)
    result = folder / "encoder.weights.h5"
    if result.exists():
        encoder.load_weights(result)
        return figures.epochs
    batches = MaskedBatches(
        train,
        items=encoder.catalogue.items,
        batch_size=config.batch_size,
        windows_per_epoch=config.samples_per_epoch,
        max_events=encoder.tower.max_events,
        share=config.masked_share,
        seed=seed,
    )
    bonus = encoder.catalogue.repeat_bonus
    if bonus is not None:
        bonus.trainable = False  # It has no gradient here.
    model = MaskedItemModel(encoder, sampled_items)
    model.build()
    epochs, steps = config.pretraining_epochs, batches.steps_per_epoch
    model.compile(optimizer=build_optimizer(config, epochs, steps), jit_compile=False)
    # At its end `fit` puts the average of the weights that the optimizer keeps into the model.
    model.fit(
        batches.dataset(first_epoch=len(figures.epochs)),
        epochs=epochs,
        steps_per_epoch=steps,
        verbose=0,
        callbacks=[
            figures,
            keras.callbacks.BackupAndRestore(str(folder / "last"), delete_checkpoint=False),
        ],
    )
    if bonus is not None:
        bonus.trainable = True
    with whole_file(result) as scratch:
        encoder.save_weights(scratch)
    return figures.epochs


class PretrainingFigures(EpochFigures):
    """Keeps loss and time of each epoch on disk and prints a line.

    Args:
        file: where they are kept; an interrupted run's are read from it.
        epochs: how many there will be.
    """

    def __init__(self, file: Path, epochs: int) -> None:
        super().__init__(file)
        self._planned = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        loss = float((logs or {})["loss"])
        self._note(epoch, loss=loss)
        self._keep()
        seconds = self.epochs[-1]["seconds"]
        progress.info(
            "pre-training epoch %d/%d  loss %.4f  %.1f s", epoch + 1, self._planned, loss, seconds
        )
