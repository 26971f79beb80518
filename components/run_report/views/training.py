"""Training curves of the encoder and of the specialists."""

from __future__ import annotations

import dataclasses
import json

from markupsafe import Markup

from components.run_report import formats as fmt
from components.run_report.charts.lines import Mark, Point, line_chart
from components.run_report.palette import cluster_colour
from trainer.training.training_record import TrainingRecord

LOSS = "#d55e00"
NDCG = "#0072b2"


@dataclasses.dataclass(frozen=True)
class TrainerRow:
    """One line of the table of trainers."""

    name: str
    status: str
    reason: str
    epochs: str
    best_epoch: str
    best_ndcg: str
    samples: str
    seconds: str


@dataclasses.dataclass(frozen=True)
class TrainingView:
    """The whole section.

    Attributes:
        loss: chart of the encoder's training loss.
        ndcg: chart of its validation NDCG@10.
        small: (name, chart) of the specialists that were trained.
        rows: the table of trainers, without the idle ones.
        idle: how many trainers stand ready for clusters that the clustering did not make.
        derived: (trainer, setting, value, why) decided from the data or by the search.
        settings: (trainer, JSON) of all settings.
    """

    loss: Markup | None
    ndcg: Markup | None
    small: list[tuple[str, Markup]]
    rows: list[TrainerRow]
    idle: int
    derived: list[tuple[str, str, str, str]]
    settings: list[tuple[str, str]]


def training_view(
    encoder: TrainingRecord | None, specialists: list[TrainingRecord], chosen_k: int | None
) -> TrainingView:
    """Curves, table and settings of all trainers."""
    busy = [run for run in specialists if not _idle(run, chosen_k)]
    runs = [run for run in [encoder, *busy] if run is not None]
    small = []
    for run in busy:
        colour = cluster_colour(fmt.cluster_number(run.name) or 0)
        chart = _curve(run, "val_ndcg", colour, small=True)
        if chart is not None:
            small.append((fmt.trainer_name(run.name), chart))
    return TrainingView(
        loss=_curve(encoder, "loss", LOSS) if encoder else None,
        ndcg=_curve(encoder, "val_ndcg", NDCG) if encoder else None,
        small=small,
        rows=[_row(run) for run in runs],
        idle=len(specialists) - len(busy),
        derived=[
            (fmt.trainer_name(run.name), *decided) for run in runs for decided in _decided(run)
        ],
        settings=[
            (fmt.trainer_name(run.name), json.dumps(run.settings, indent=2, sort_keys=True))
            for run in runs
            if run.settings
        ],
    )


def _idle(run: TrainingRecord, chosen_k: int | None) -> bool:
    """Whether a trainer had no cluster to learn from because fewer were made."""
    number = fmt.cluster_number(run.name)
    none_made = chosen_k is not None and number is not None and number >= chosen_k
    return none_made and run.status != "trained"


def _curve(run: TrainingRecord, measure: str, colour: str, small: bool = False) -> Markup | None:
    """One measure by epoch, best epoch marked; None when nothing was measured."""
    points = [
        Point(epoch.epoch, value)
        for epoch in run.epochs
        if (value := getattr(epoch, measure)) is not None
    ]
    if not points:
        return None
    name = "Training loss" if measure == "loss" else "Validation NDCG@10"
    mark = [Mark(run.best_epoch, f"best: epoch {run.best_epoch}")] if run.best_epoch else []
    if run.best_epoch == 0:
        mark = [Mark(0, "best: as it started")]
    return line_chart(
        points,
        label=f"{name} of {fmt.trainer_name(run.name)} by epoch",
        x_title="epoch",
        colour=colour,
        marks=mark,
        width=300 if small else 460,
        height=170 if small else 250,
        decimals=None if measure == "loss" else 4 if small else 3,
    )


def _row(run: TrainingRecord) -> TrainerRow:
    return TrainerRow(
        name=fmt.trainer_name(run.name),
        status=run.status,
        reason=run.reason,
        epochs=fmt.integer(len(run.epochs)),
        best_epoch=fmt.MISSING if run.best_epoch is None else str(run.best_epoch),
        best_ndcg=fmt.metric(run.best_val_ndcg),
        samples=fmt.integer(run.samples),
        seconds=fmt.duration(run.seconds),
    )


def _decided(run: TrainingRecord) -> list[tuple[str, str, str]]:
    """Settings that the data or the search for hyper-parameters decided: name, value and why."""
    return [
        *((name, str(entry.value), entry.why) for name, entry in run.derived.items()),
        *(
            (name, str(entry.value), f"tuned; configured: {entry.configured}")
            for name, entry in run.tuned.items()
        ),
    ]
