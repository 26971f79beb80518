"""The record of an invented training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trainer.training.training_record import Epoch, Reasoned, TrainingRecord, TunedSetting


def write_training(
    folder: Path, name: str, epochs: int, best: float, rng: np.random.Generator, first: int = 1
) -> None:
    peak = epochs - 3 + first
    scores = [
        best * (1 - 0.4 * float(np.exp(-e / 2)))
        if e < peak
        else best
        if e == peak
        else best * 0.97 - 0.001 * float(rng.random())
        for e in range(first, epochs + first)
    ]
    TrainingRecord(
        name=name,
        status="trained",
        reason="",
        epochs=[
            Epoch(epoch=e, loss=5 + 3.5 * float(np.exp(-e / 3)), val_ndcg=score, seconds=11.5)
            for e, score in enumerate(scores, start=first)
        ],
        best_epoch=peak,
        seconds=11.5 * epochs,
        samples=131_413,
        settings={"learning_rate": 0.0005, "epochs": 40, "patience": 3},
        derived={"batch_size": Reasoned(value=256, why="131,413 samples of mean length 9")},
        tuned={"training.learning_rate": TunedSetting(value=0.0021, configured=0.001)},
    ).write(str(folder))


def unchanged_trainer(cluster: int, reason: str, samples: int = 0) -> TrainingRecord:
    """A specialist that was not trained."""
    return TrainingRecord(
        name=f"cluster_{cluster}",
        status="unchanged",
        reason=reason,
        epochs=[],
        best_epoch=0,
        seconds=0.4,
        samples=samples,
        settings={},
        tuned={},
        derived={},
    )
