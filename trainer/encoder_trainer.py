"""`Trainer.encoder`: trains the global encoder on all users. TFX calls `run_fn`."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer import features
from trainer.callbacks import progress
from trainer.config import EncoderConfig, ServingConfig, TrainingConfig
from trainer.data_facts import DataFacts
from trainer.export import save_encoder, save_recommender
from trainer.input import Histories, read_histories
from trainer.item_content import ItemContent
from trainer.item_features import ItemFeatures, cooccurrence_features, text_features
from trainer.next_item_model import NextItemModel
from trainer.pretraining import pretrain
from trainer.recommender import Recommender
from trainer.sampling import training_samples
from trainer.settings import Settings
from trainer.training import checkpoint_folder, fit

TRAINING_FILE = "training.json"
RARE_ITEM_EVENTS = 5
"""Items with so few training events are the level that items without any start at."""


class TrainingDataError(ValueError):
    """The splits cannot be trained on; the message says why and what to change."""


class EncoderTrainerConfig(Settings):
    """The sections that `Trainer.encoder` depends on."""

    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig()
    serving: ServingConfig = ServingConfig()


def run_fn(fn_args: FnArgs) -> None:
    """Trains, saves a SavedModel of the encoder alone, the Keras encoder, and `training.json`.

    Args:
        fn_args: `custom_config` holds `config` (sections of `EncoderTrainerConfig`), `seed` and
            `checkpoint_root`; `base_model`, if any, is a folder of `trainer.item_content`.

    Raises:
        TrainingDataError: nothing to train on, no validation targets, or fewer than two items.
    """
    custom = fn_args.custom_config
    config = EncoderTrainerConfig.from_dict(custom["config"])
    began = time.monotonic()
    keras.utils.set_random_seed(custom["seed"])
    graph = tft.TFTransformOutput(fn_args.transform_output)
    train = read_histories(fn_args.train_files, graph)
    validation = read_histories(fn_args.eval_files, graph)
    if not (validation.next_item > 0).any():
        raise TrainingDataError(
            "no history of the validation split has a next item; give the split more events "
            "(data.validation_quantile, data.test_quantile) or use data.split=leave_one_out"
        )
    samples = training_samples(train)
    if not (samples.ends > samples.starts).any():
        raise TrainingDataError(
            "no history of the training split goes on after its first instant, so there is nothing "
            "to predict; bring a longer log or more events before the validation cut "
            "(data.validation_quantile)"
        )
    facts = DataFacts.of(train, graph)
    if facts.items < 2:
        raise TrainingDataError(
            f"the training split has {facts.items} item(s), a recommender needs at least two; "
            "lower data.min_item_events or features.min_item_count, or bring more events"
        )
    item_features = _item_features(fn_args.base_model, graph, train, config.encoder, custom["seed"])
    for name, choice in facts.derived(config.encoder, config.serving, item_features).items():
        progress.info("derived: %s = %s (%s)", name, choice["value"], choice["why"])

    checkpoints = checkpoint_folder(
        custom["checkpoint_root"],
        "encoder",
        [*fn_args.train_files, *fn_args.eval_files],
        json.dumps([custom["config"], custom["seed"]], sort_keys=True),
    )
    policy = _precision_policy(config.training.mixed_precision)
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        with _strategy(config.training.strategy).scope():
            encoder = facts.build_encoder(config.encoder, config.serving, item_features)
            sampled = facts.items > config.training.full_softmax_items
            sampled_items = config.training.sampled_items if sampled else None
            pretraining = pretrain(
                encoder,
                train,
                config.training,
                sampled_items=sampled_items,
                seed=custom["seed"],
                checkpoints=checkpoints,
            )
            model = NextItemModel(encoder, config.training.first_weight, sampled_items)
            model.build()
            result = fit(
                model,
                train,
                validation,
                config.training,
                seed=custom["seed"],
                checkpoints=checkpoints,
                tensorboard=Path(fn_args.model_run_dir) / "tensorboard",
            )
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    rare = np.flatnonzero((facts.item_counts > 0) & (facts.item_counts <= RARE_ITEM_EVENTS))
    new_items = [item.decode() for item in item_features.new_ids]
    encoder = encoder.folded(new_items, item_features.new, rare)
    save_encoder(encoder, fn_args.serving_model_dir)
    save_recommender(
        Recommender(graph, encoder, top_k=config.serving.top_k),
        fn_args.serving_model_dir,
        {"kind": "encoder"},
    )
    write_training(
        fn_args.model_run_dir,
        name="encoder",
        status="trained",
        reason=f"best of {len(result.epochs)} epochs is {result.best_epoch}",
        pretraining=pretraining,
        epochs=result.epochs,
        best_epoch=result.best_epoch,
        seconds=round(time.monotonic() - began, 1),
        samples=result.samples,
        settings=config.model_dump(mode="json"),
        derived={
            **facts.derived(config.encoder, config.serving, item_features),
            "softmax": {
                "value": "sampled" if sampled else "full",
                "why": f"{facts.items} items; full up to training.full_softmax_items = "
                f"{config.training.full_softmax_items}",
            },
            "epochs": {
                "value": result.planned,
                "why": f"{result.samples} training samples"
                if config.training.epochs == "auto"
                else "set in the configuration",
            },
            "precision": {"value": policy, "why": "what the hardware computes fast"},
        },
    )
    shutil.rmtree(checkpoints)


def _item_features(
    base_model: str | None,
    graph: tft.TFTransformOutput,
    train: Histories,
    encoder: EncoderConfig,
    seed: int,
) -> ItemFeatures:
    """What is known of the items; the Trainer's base model is what ItemContentEncoder wrote."""
    vocabulary = graph.vocabulary_by_name(features.ITEM_VOCABULARY)
    content = ItemContent.empty([], "the pipeline has no item content")
    found = text_features(ItemContent.load(base_model) if base_model else content, vocabulary)
    if found.dim or not encoder.uses_cooccurrence:
        return found
    return cooccurrence_features(train, len(vocabulary), found.why, seed)


def write_training(model_run_dir: str, **figures: Any) -> None:
    """Writes `training.json` into a ModelRun artifact."""
    tf.io.gfile.makedirs(model_run_dir)
    with tf.io.gfile.GFile(f"{model_run_dir}/{TRAINING_FILE}", "w") as file:
        file.write(json.dumps(figures, indent=1))


def _precision_policy(setting: bool | str) -> str:
    """float16 pays on GPUs with tensor cores (compute capability 7 and up), nowhere else."""
    if setting == "auto":
        capabilities = [
            tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
            for gpu in tf.config.list_physical_devices("GPU")
        ]
        setting = bool(capabilities) and min(capabilities)[0] >= 7
    return "mixed_float16" if setting else "float32"


def _strategy(name: str) -> tf.distribute.Strategy:
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker_mirrored":
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()
