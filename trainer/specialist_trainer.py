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

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.config import SpecialistConfig
from trainer.data.histories import Histories, read_histories
from trainer.data.sampling import training_samples
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
    release_memory()
    name = custom["name"]
    keras.utils.set_random_seed(custom["seed"])
    graph = tft.TFTransformOutput(fn_args.transform_output)
    encoder = load_encoder(fn_args.base_model)
    parts = [
        read_histories([split], graph, encoder.new_items).asking(encoder.target_actions)
        for split in fn_args.train_files
    ]
    validation = read_histories(fn_args.eval_files, graph, encoder.new_items)
    by_split = [len(training_samples(part)) for part in parts]
    train, samples = Histories.joined(parts), sum(by_split)

    checkpoints = checkpoint_folder(
        custom["checkpoint_root"],
        name,
        [*fn_args.train_files, *fn_args.eval_files],
        f"{config.to_json()} {custom['seed']} {fn_args.base_model}",
    )
    result = FitResult([], 0, 0.0, samples)
    reason = _why_not(samples, validation, config.specialists)
    if reason is None:
        _freeze(encoder, config.specialists)
        model = NextItemModel(encoder, config.specialists, evaluation=config.evaluation)
        model.build()
        result = fit(
            model,
            train,
            validation,
            _with_budget_of_all(config.specialists, by_split),
            seed=custom["seed"],
            checkpoints=checkpoints,
            tensorboard=Path(fn_args.model_run_dir) / "tensorboard",
            start_counts=True,
        )
        if result.best_epoch == 0:
            reason = "no epoch was better on the cluster's validation users than the start"
    if reason is not None:
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
        samples=samples,
        settings=config.model_dump(mode="json", exclude={"tuning"}),
        tuned=tuned,
        derived={},
    ).write(fn_args.model_run_dir)
    shutil.rmtree(checkpoints, ignore_errors=True)


def _why_not(samples: int, validation: Histories, config: SpecialistConfig) -> str | None:
    """Why a cluster gets no specialist of its own, None if it does."""
    if samples == 0:
        return "the cluster has no training samples"
    if samples < config.min_samples:
        least = f"specialists.min_samples={config.min_samples}"
        return f"only {samples} training sample(s), fewer than {least}"
    if not (validation.next_item > 0).any():
        return "no user of the cluster is in the validation split"
    return None


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
