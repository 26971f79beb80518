"""`Trainer.encoder`: trains the global encoder on all users. TFX calls `run_fn`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.data.data_facts import DataFacts
from trainer.data.encoder_data import EncoderData
from trainer.evaluation_config import in_words
from trainer.progress import progress
from trainer.serving.export import save_encoder, save_recommender
from trainer.serving.recommender import Recommender
from trainer.training.encoder_fit import EncoderTrainerConfig, FittedEncoder, fit_encoder
from trainer.training.fit import checkpoint_folder
from trainer.training.memory import release_memory
from trainer.training.objectives import EVEN
from trainer.training.training_record import TrainingRecord
from trainer.training.tuned import best_values, take_over

RARE_ITEM_EVENTS = 5
"""Items with so few training events are the level that items without any start at."""


def run_fn(fn_args: FnArgs) -> None:
    """Trains, saves a SavedModel of the encoder alone, the Keras encoder, and `training.json`.

    Args:
        fn_args: `custom_config` holds `config` (sections of `EncoderTrainerConfig`), `seed` and
            `checkpoint_root`; `base_model`, if any, is a folder of `trainer.data.item_content`;
            `hyperparameters`, if any, are the best values that `Tuner.encoder` found.

    Raises:
        ConfigError: a hyper-parameter is not a setting.
        TrainingDataError: nothing to train on, no validation targets, or fewer than two items.
    """
    custom = fn_args.custom_config
    config, tuned = take_over(
        EncoderTrainerConfig.from_dict(custom["config"]), best_values(fn_args.hyperparameters)
    )
    began = time.monotonic()
    release_memory()
    keras.utils.set_random_seed(custom["seed"])
    graph = tft.TFTransformOutput(fn_args.transform_output)
    data = EncoderData.read(
        graph,
        fn_args.train_files,
        fn_args.eval_files,
        fn_args.base_model,
        config.encoder,
        custom["seed"],
        config.target_actions,
    )
    facts, item_features = data.facts, data.item_features
    for name, choice in facts.derived(config.encoder, config.serving, item_features).items():
        progress.info("derived: %s = %s (%s)", name, choice["value"], choice["why"])

    checkpoints = checkpoint_folder(
        custom["checkpoint_root"],
        "encoder",
        [*fn_args.train_files, *fn_args.eval_files],
        f"{config.to_json()} {custom['seed']}",
    )
    fitted = fit_encoder(
        data,
        config,
        seed=custom["seed"],
        checkpoints=checkpoints,
        tensorboard=Path(fn_args.model_run_dir) / "tensorboard",
    )
    result = fitted.result
    rare = np.flatnonzero((facts.item_counts > 0) & (facts.item_counts <= RARE_ITEM_EVENTS))
    new_items = [item.decode() for item in item_features.new_ids]
    encoder = fitted.encoder.with_features_folded_in(new_items, item_features.new, rare)
    save_encoder(encoder, fn_args.serving_model_dir)
    save_recommender(
        Recommender(graph, encoder),
        fn_args.serving_model_dir,
        {"kind": "encoder"},
    )
    TrainingRecord(
        name="encoder",
        status="trained",
        reason=f"best of {len(result.epochs)} epochs is {result.best_epoch}",
        pretraining=fitted.pretraining,
        epochs=result.epochs,
        best_epoch=result.best_epoch,
        seconds=round(time.monotonic() - began, 1),
        samples=result.samples,
        settings=config.model_dump(
            mode="json",
            include={
                "encoder": True,
                "training": True,
                "evaluation": True,
                "serving": {"exclude_seen"},
            },
        ),
        tuned=tuned,
        derived={
            **facts.derived(config.encoder, config.serving, item_features),
            "softmax": {
                "value": "sampled" if fitted.sampled_softmax else "full",
                "why": f"{facts.items} items; full up to training.full_softmax_items = "
                f"{config.training.full_softmax_items}",
            },
            "epochs": {
                "value": result.planned,
                "why": f"{result.samples} training samples"
                if config.training.epochs == "auto"
                else "set in the configuration",
            },
            **_asked(config, facts),
            "label": _label(config),
            "sharpness": {
                "value": fitted.sharpness.sharpness,
                "why": str(fitted.sharpness),
            },
            **_own_items(fitted),
            "precision": {"value": fitted.precision, "why": "what the hardware computes fast"},
        },
    ).write(fn_args.model_run_dir)
    shutil.rmtree(checkpoints)


def _own_items(fitted: FittedEncoder) -> dict[str, dict[str, Any]]:
    """How own items are scored, and what they say of others, where they are scored."""
    if fitted.repeats is None or fitted.blend is None or fitted.neighbours is None:
        return {}
    return {
        "repeat_curves": {"value": fitted.repeats.fitted, "why": str(fitted.repeats)},
        "own_items_encoder_share": {
            "value": fitted.blend.encoder_share,
            "why": str(fitted.blend),
        },
        "neighbours": {"value": fitted.neighbours.weight, "why": str(fitted.neighbours)},
    }


def _asked(config: EncoderTrainerConfig, facts: DataFacts) -> dict[str, dict[str, str]]:
    """Which actions are asked for; nothing where every action is."""
    if facts.wanted_counts is None:
        return {}
    share = facts.wanted_counts.sum() / max(facts.item_counts.sum(), 1)
    why = f"data.target_actions; {share:.1%} of the training events"
    return {"target_actions": {"value": ", ".join(config.target_actions), "why": why}}


def _label(config: EncoderTrainerConfig) -> dict[str, str]:
    """What a training sample's label is, and why."""
    evaluation = config.evaluation
    first = config.training.weight_of_first(evaluation)
    why = f"evaluation.task={evaluation.task}"
    if config.training.first_weight != "auto":
        why += f", training.first_weight={first}"
    if first == 1:
        return {"value": "the next item", "why": why}
    period = evaluation.period_seconds is not None
    asked = in_words("next_period", evaluation.period_days) if period else "next instant"
    share = "evenly" if first == EVEN else f"{first:.0%} to the next item"
    return {"value": f"the items of the {asked}, {share}", "why": why}
