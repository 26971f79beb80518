"""`training.json`: how an encoder was trained, for the report and for whoever looks it up."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from trainer.artifact_record import Measure, Record, RecordFile


class Epoch(Record):
    """One pass over the training samples."""

    epoch: int
    loss: Measure = None
    val_ndcg: Measure = Field(default=None, alias="val_ndcg@10")
    seconds: Measure = None


class Reasoned(Record):
    """A setting that the data decided, and why."""

    value: Any
    why: str


class TunedSetting(Record):
    """A setting that the search for hyper-parameters decided, and what was configured."""

    value: Any
    configured: Any


class TrainingRecord(RecordFile):
    """What a Trainer did.

    Attributes:
        name: of the encoder: "encoder", "cluster_3", "random_0", "continued".
        status: "unchanged" where the encoder stayed as it started.
        reason: why, in words.
        pretraining: figures of the masked pre-training by epoch.
        epochs: figures by epoch.
        best_epoch: the one whose weights were kept; 0 is the start.
        seconds: the whole node took.
        samples: training samples.
        settings: all settings.
        tuned: settings by their names.
        derived: settings by their names.
    """

    FILE_NAME: ClassVar[str] = "training.json"

    name: str
    status: Literal["trained", "unchanged"]
    reason: str
    pretraining: list[dict[str, Measure]] = []
    epochs: list[Epoch]
    best_epoch: int
    seconds: float
    samples: int
    settings: dict[str, Any]
    tuned: dict[str, TunedSetting]
    derived: dict[str, Reasoned]

    @property
    def best_val_ndcg(self) -> float | None:
        """Validation NDCG@10 of the best epoch; None when it was not measured."""
        return next((e.val_ndcg for e in self.epochs if e.epoch == self.best_epoch), None)
