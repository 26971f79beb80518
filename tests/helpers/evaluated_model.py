"""A free baseline as a SavedModel that can be evaluated, and nothing else."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from trainer.serving.baseline_recommender import BaselineRecommender


def save_evaluated(model: BaselineRecommender, folder: Path) -> None:
    """Saves the signature `evaluate` alone.

    A baseline has up to six, and where only its ranks are asked for, saving and loading the others
    takes longer than all the rest.
    """
    held = tf.Module()
    held.items = model._table
    tf.saved_model.save(held, str(folder), signatures={"evaluate": model.evaluate})
