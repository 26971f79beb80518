"""`training.json`: how an encoder was trained, for the report and for whoever looks it up."""

from __future__ import annotations

import json
from typing import Any

import tensorflow as tf

TRAINING_FILE = "training.json"


def write_training(model_run_dir: str, **figures: Any) -> None:
    """Writes `training.json` into a ModelRun artifact."""
    tf.io.gfile.makedirs(model_run_dir)
    with tf.io.gfile.GFile(f"{model_run_dir}/{TRAINING_FILE}", "w") as file:
        file.write(json.dumps(figures, indent=1))
