"""Builds and trains one global encoder: what `Trainer.encoder` and each trial of its Tuner do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from trainer.config import EncoderConfig, ServingConfig, TrainingConfig
from trainer.data.encoder_data import EncoderData
from trainer.encoder.build_encoder import build_encoder
from trainer.encoder.encoder import BehaviorEncoder
from trainer.evaluation.scorer import Scorer
from trainer.evaluation_config import EvaluationConfig
from trainer.progress import progress
from trainer.settings import Settings
from trainer.training.fit import FitResult, fit, sample_users
from trainer.training.neighbour_fit import NeighbourFit, fit_neighbours
from trainer.training.next_item_model import NextItemModel
from trainer.training.pretraining import pretrain
from trainer.training.repeat_blend import RepeatBlend, choose_blend
from trainer.training.repeat_fit import RepeatFit, fit_repeats
from trainer.training.sharpness import SharpnessChoice, choose_sharpness


class EncoderTrainerConfig(Settings):
    """The sections that `Trainer.encoder` depends on."""

    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig()
    serving: ServingConfig = ServingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    target_actions: tuple[str, ...] = ()
    """The setting `data.target_actions`."""


@dataclass(frozen=True)
class FittedEncoder:
    """The encoder with its best weights, and how it was trained."""

    encoder: BehaviorEncoder
    pretraining: list[dict[str, float]]
    """Figures of the masked-item epochs before it, see `pretrain`."""
    result: FitResult
    sampled_softmax: bool
    precision: str
    repeats: RepeatFit | None
    """How the curves of own items were fitted; None where these have no score."""
    sharpness: SharpnessChoice
    """How much the encoder's opinion of a user counts."""
    neighbours: NeighbourFit | None
    """How much neighbours of own items raise new ones; None where own items have no score."""
    blend: RepeatBlend | None
    """How much the scores of own items lean on the encoder."""


def fit_encoder(
    data: EncoderData,
    config: EncoderTrainerConfig,
    *,
    seed: int,
    checkpoints: Path,
    tensorboard: Path,
) -> FittedEncoder:
    """Trains a new encoder in the precision and under the strategy of the settings.

    Args:
        data: what to train on.
        config: all settings of the encoder and its training.
        seed: for batches; weights and dropout follow Keras' seed.
        checkpoints: see `trainer.training.fit.fit`.
        tensorboard: where TensorBoard logs go.
    """
    policy = _precision_policy(config.training.mixed_precision)
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        with _strategy(config.training.strategy).scope():
            encoder = build_encoder(data.facts, config.encoder, config.serving, data.item_features)
            sampled = data.facts.items > config.training.full_softmax_items
            sampled_items = config.training.sampled_items if sampled else None
            repeats = None
            if encoder.own_events:
                repeats = fit_repeats(
                    encoder.catalogue,
                    data.train,
                    encoder.own_events,
                    config.evaluation.period_seconds,
                    seed,
                )
                progress.info("repeats of own items: %s", repeats)
            pretraining = pretrain(
                encoder,
                data.train,
                config.training,
                sampled_items=sampled_items,
                seed=seed,
                checkpoints=checkpoints,
            )
            model = NextItemModel(encoder, config.training, sampled_items, config.evaluation)
            model.build()
            result = fit(
                model,
                data.train,
                data.validation,
                config.training,
                seed=seed,
                checkpoints=checkpoints,
                tensorboard=tensorboard,
            )
            users = sample_users(data.validation, config.training.validation_users, seed)
            scorer = Scorer(encoder, users)
            sharpness = choose_sharpness(scorer)
            progress.info("scores of new items: %s", sharpness)
            blend, neighbours = None, None
            if repeats is not None:
                neighbours = fit_neighbours(scorer, data.train, seed)
                progress.info("scores of new items: %s", neighbours)
                blend = choose_blend(scorer)
                progress.info("scores of own items: %s", blend)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    return FittedEncoder(
        encoder, pretraining, result, sampled, policy, repeats, sharpness, neighbours, blend
    )


def _precision_policy(setting: bool | str) -> str:
    """float16 is faster only on GPUs with tensor cores (compute capability 7 and up)."""
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
