"""`training.json`: how an encoder was trained, for the report and for whoever looks it up."""

from __future__ import annotations

from typing import Any

from trainer.uri_files import write_json

TRAINING_FILE = "training.json"


def write_training(model_run_dir: str, **figures: Any) -> None:
    """Writes `training.json` into a ModelRun artifact."""
    write_json(f"{model_run_dir}/{TRAINING_FILE}", figures)
