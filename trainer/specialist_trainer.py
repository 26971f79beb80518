"""`Trainer.cluster_k`: fine-tunes the global encoder for one cluster. TFX calls `run_fn`.

Only event towers change, of an ensemble `specialists.members`; the item table stays that of the
global encoder, so that the specialists' queries can be added up. Training starts from the global
weights and has to beat them on the cluster's own validation users: otherwise they are what is
saved.

The controls that tell what clusters are worth are trained by the same code: `Trainer.control_k`
on a part of a random partition, and `Trainer.continued` on all clusters' splits at once, with as
many samples an epoch as the specialists have together.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.config import SpecialistConfig
from trainer.data.histories import Histories, has_histories, read_histories
from trainer.data.sampling import training_samples
from trainer.encoder.encoder import BehaviorEncoder
from trainer.evaluation_config import EvaluationConfig
from trainer.inference.own_members import leave_trainable
from trainer.progress import progress
from trainer.serving.export import copy_encoder, load_encoder, save_encoder
from trainer.settings import Settings
from trainer.training.fit import FitResult, checkpoint_folder, fit
from trainer.training.memory import release_memory
from trainer.training.next_item_model import NextItemModel
from trainer.training.training_record import TrainingRecord
from trainer.training.tuned import specialist_values, take_over
from trainer.training.tuning_config import TuningConfig

_NO_SAMPLES = "the cluster has no training samples"


class SpecialistTrainerConfig(Settings):
    """The sections that a specialist's Trainer depends on, beside the encoder it starts from."""

    specialists: SpecialistConfig = SpecialistConfig()
    tuning: TuningConfig = TuningConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


def run_fn(fn_args: FnArgs) -> None:
    """Fine-tunes, saves the Keras encoder and `training.json`.

    There is no SavedModel: what is served is ClusterCombiner's, which reads the Keras encoders.

    Args:
        fn_args: `base_model` is the global encoder's SavedModel; `custom_config` holds `config`
            (sections of `SpecialistTrainerConfig`), `seed`, `name` and `checkpoint_root`;
            `hyperparameters`, if any, are the best values that `Tuner.encoder` found.
    """
    custom = fn_args.custom_config
    config = SpecialistTrainerConfig.from_dict(custom["config"])
    advice = specialist_values(
        fn_args.hyperparameters,
        config.specialists.learning_rate,
        config.tuning.specialist_learning_rate,
    )
    config, tuned = take_over(config, advice)
    began = time.monotonic()
    name = custom["name"]
    checkpoints = checkpoint_folder(
        custom["checkpoint_root"],
        name,
        [*fn_args.train_files, *fn_args.eval_files],
        f"{config.to_json()} {custom['seed']} {fn_args.base_model}",
    )
    encoder, result = None, FitResult([], 0, 0.0, 0)
    reason: str | None = _NO_SAMPLES
    # Of a cluster that was not found, nothing else is read.
    if has_histories(fn_args.train_files):
        release_memory()
        keras.utils.set_random_seed(custom["seed"])
        encoder = load_encoder(fn_args.base_model)
        result, reason = _fine_tune(encoder, fn_args, config, checkpoints)
    if encoder is None or reason is not None:
        progress.info("keeps the global encoder: %s", reason)
        copy_encoder(fn_args.base_model, fn_args.serving_model_dir)
    else:
        save_encoder(encoder, fn_args.serving_model_dir)
    TrainingRecord(
        name=name,
        status="unchanged" if reason else "trained",
        reason=reason or f"best of {len(result.epochs)} epochs is {result.best_epoch}",
        epochs=result.epochs,
        best_epoch=result.best_epoch,
        seconds=round(time.monotonic() - began, 1),
        samples=result.samples,
        settings=config.model_dump(mode="json", exclude={"tuning"}),
        tuned=tuned,
        derived={},
    ).write(fn_args.model_run_dir)
    shutil.rmtree(checkpoints, ignore_errors=True)


def _fine_tune(
    encoder: BehaviorEncoder, fn_args: FnArgs, config: SpecialistTrainerConfig, checkpoints: Path
) -> tuple[FitResult, str | None]:
    """Trains the encoder on, if there is enough to train on and to judge it by.

    Returns:
        What training did, with the samples that there are, and why the encoder is still the global
        one; None if it is not.
    """
    graph = tft.TFTransformOutput(fn_args.transform_output)
    parts = [
        read_histories([split], graph, encoder.new_items).asking(encoder.target_actions)
        for split in fn_args.train_files
    ]
    by_split = [len(training_samples(part)) for part in parts]
    samples = sum(by_split)
    nothing = FitResult([], 0, 0.0, samples)
    if samples == 0:
        return nothing, _NO_SAMPLES
    if samples < config.specialists.min_samples:
        least = f"specialists.min_samples={config.specialists.min_samples}"
        return nothing, f"only {samples} training sample(s), fewer than {least}"
    validation = read_histories(fn_args.eval_files, graph, encoder.new_items)
    if not (validation.next_item > 0).any():
        return nothing, "no user of the cluster is in the validation split"
    _freeze(encoder, config.specialists)
    model = NextItemModel(encoder, config.specialists, evaluation=config.evaluation)
    model.build()
    result = fit(
        model,
        Histories.joined(parts),
        validation,
        _with_budget_of_all(config.specialists, by_split),
        seed=fn_args.custom_config["seed"],
        checkpoints=checkpoints,
        tensorboard=Path(fn_args.model_run_dir) / "tensorboard",
        start_counts=True,
    )
    result = dataclasses.replace(result, samples=samples)
    if result.best_epoch == 0:
        return result, "no epoch was better on the cluster's validation users than the start"
    return result, None


def _with_budget_of_all(config: SpecialistConfig, samples: Sequence[int]) -> SpecialistConfig:
    """The settings with as many samples an epoch as specialists of these splits have together."""
    together = sum(min(count, config.samples_per_epoch) for count in samples)
    return config.model_copy(update={"samples_per_epoch": together})


def _freeze(encoder: keras.Model, config: SpecialistConfig) -> None:
    """Leaves only what a specialist may change trainable."""
    encoder.catalogue.trainable = False
    own = leave_trainable(encoder.tower, config.members)
    if config.method == "lora":
        for member in own:
            member.enable_lora(config.lora_rank)
