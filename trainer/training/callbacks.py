"""Keras callbacks: validation ranking, resumable early stopping, progress."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainer.progress import progress
from trainer.whole_files import write_whole

MONITOR = "val_ndcg@10"


class ValidationRanking(keras.callbacks.Callback):
    """Adds the full-ranking validation NDCG@10 to each epoch's logs.

    Must come before the callbacks that read `val_ndcg@10`.

    Args:
        measure: returns the NDCG@10 of the model's current weights.
    """

    def __init__(self, measure: Callable[[], float]) -> None:
        super().__init__()
        self._measure = measure

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures and writes into `logs`."""
        if logs is not None:
            logs[MONITOR] = self._measure()


class EpochFigures(keras.callbacks.Callback):
    """Keeps the figures of each epoch on disk, for a run that goes on after an interruption.

    Args:
        file: where they are kept; an interrupted run's are read from it.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._began = 0.0
        self._state: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        self.epochs: list[dict[str, float]] = self._state.get("epochs", [])

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the epoch's clock."""
        # The figures of an epoch may be on disk when its checkpoint is not: then it is run again.
        del self.epochs[epoch:]
        self._began = time.monotonic()

    def _note(self, epoch: int, **figures: float) -> None:
        seconds = round(time.monotonic() - self._began, 2)
        self.epochs.append({"epoch": epoch + 1, **figures, "seconds": seconds})

    def _keep(self, **state: Any) -> None:
        # Whole: an interruption must not leave half of it.
        write_whole(self._file, json.dumps({"epochs": self.epochs, **state}))


class ResumableEarlyStopping(EpochFigures):
    """Stops after `patience` epochs without a better NDCG@10; ends with the best weights.

    Unlike `keras.callbacks.EarlyStopping` its memory (best weights, epochs waited, all epochs'
    figures) is on disk, so that a run that was interrupted goes on as if it had not been.

    Args:
        directory: where the memory is kept.
        patience: epochs to wait.
        start: the NDCG@10 of the weights that training starts from, if these are a result
            already (a specialist's are: the global encoder's); None if they are random.
    """

    def __init__(self, directory: Path, patience: int, start: float | None = None) -> None:
        super().__init__(directory / "epochs.json")
        self._weights_file = directory / "best.weights.h5"
        self._patience = patience
        self.best = -np.inf if start is None else start
        self.best_epoch = 0 if start is not None else None
        self._best_weights: list[np.ndarray] | None = None
        if self._state:
            self.best, self.best_epoch = self._state["best"], self._state["best_epoch"]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Takes the best weights of an interrupted run back into memory, if there was one."""
        if self.epochs and self.best_epoch:
            current = self.model.get_weights()
            self.model.load_weights(self._weights_file)
            self._best_weights = self.model.get_weights()
            self.model.set_weights(current)
        elif self.best_epoch == 0:
            self._best_weights = self.model.get_weights()
        if self.epochs:
            progress.info("resumed after epoch %d", len(self.epochs))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch, keeps its weights if they are the best, decides whether to stop."""
        logs = logs or {}
        value = float(logs[MONITOR])
        self._note(epoch, **{"loss": float(logs["loss"]), MONITOR: value})
        if value > self.best:
            self.best, self.best_epoch = value, epoch + 1
            self._best_weights = self.model.get_weights()
            self.model.save_weights(self._weights_file)
        waited = epoch + 1 - (self.best_epoch or 0)
        if waited >= self._patience:
            self.model.stop_training = True
        self._keep(best=self.best, best_epoch=self.best_epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the best weights back."""
        if self._best_weights is not None:
            self.model.set_weights(self._best_weights)


class EpochProgress(keras.callbacks.Callback):
    """Prints a line an epoch: loss, NDCG@10, the best so far, time taken and at most left.

    Args:
        stopping: knows the epochs and the best.
        epochs: the most epochs that there will be.
    """

    def __init__(self, stopping: ResumableEarlyStopping, epochs: int) -> None:
        super().__init__()
        self._stopping = stopping
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Prints the line."""
        done = self._stopping.epochs
        ending = ""
        if self.model.stop_training:
            ending = " – stopping"
        elif 1 < len(done) < self._epochs:
            # The first epoch also builds the graph and says little about the others.
            seconds = float(np.median([e["seconds"] for e in done[1:]]))
            ending = f", at most {(self._epochs - len(done)) * seconds:.0f} s left"
        progress.info(
            "epoch %d/%d  loss %.4f  validation NDCG@10 %.4f (best %.4f)  %.1f s%s",
            epoch + 1,
            self._epochs,
            done[-1]["loss"],
            done[-1][MONITOR],
            self._stopping.best,
            done[-1]["seconds"],
            ending,
        )
