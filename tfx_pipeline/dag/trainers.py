"""The nodes that train, Tuner and Trainers, each with the sections of settings that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfx.components import Trainer, Tuner
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel

from tfx_pipeline.dag import nodes
from tfx_pipeline.dag.fingerprints import code_fingerprint
from tfx_pipeline.paths.locations import Locations
from tfx_pipeline.settings.run_config import RunConfig

_OF_THE_ENCODER = ("encoder", "training", "serving", "evaluation")
"""Sections that the training of the global encoder reads."""
_LEARNT_BY = {"serving": {"exclude_seen"}}
"""Of these sections some settings only; a longer list or another index needs no training."""


def encoder_tuner(
    config: RunConfig,
    locations: Locations,
    histories: BaseChannel,
    transform_graph: BaseChannel,
    content: BaseChannel,
) -> Tuner:
    """The search for the Trainers' hyper-parameters, on what the encoder's Trainer gets."""
    return Tuner(
        tuner_fn="trainer.tuner.tuner_fn",
        examples=histories,
        transform_graph=transform_graph,
        base_model=content,
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["validation"]),
        custom_config=_of_the_encoder(config, locations, "trainer.tuner", ("tuning",)),
    ).with_id(nodes.TUNER)


def encoder_trainer(
    config: RunConfig,
    locations: Locations,
    histories: BaseChannel,
    transform_graph: BaseChannel,
    content: BaseChannel,
    hyperparameters: BaseChannel | None,
) -> Trainer:
    """The Trainer of the global encoder; the item texts reach it as its base model."""
    return Trainer(
        run_fn="trainer.encoder_trainer.run_fn",
        examples=histories,
        transform_graph=transform_graph,
        base_model=content,
        hyperparameters=hyperparameters,
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["validation"]),
        custom_config=_of_the_encoder(config, locations, "trainer.encoder_trainer"),
    ).with_id(nodes.ENCODER_TRAINER)


def fine_tuning_trainer(
    config: RunConfig,
    locations: Locations,
    name: str,
    parts: Sequence[str],
    clustered: BaseChannel,
    transform_graph: BaseChannel,
    encoder_model: BaseChannel,
    hyperparameters: BaseChannel | None,
) -> Trainer:
    """A Trainer that starts from the global encoder: a cluster's specialist, or a control of it.

    Args:
        config: all settings.
        locations: where checkpoints go.
        name: of the node, behind "Trainer.".
        parts: of the clusterer's splits, each with a `_train` and a `_validation`.
        clustered: Examples of the clusterer.
        transform_graph: what the encoder was trained with.
        encoder_model: the global encoder.
        hyperparameters: what the Tuner found, if there is one.
    """
    tuning = ("tuning",) if config.tuning.enabled else ()
    sections = ("specialists", "evaluation", *tuning)
    return Trainer(
        run_fn="trainer.specialist_trainer.run_fn",
        examples=clustered,
        transform_graph=transform_graph,
        base_model=encoder_model,
        hyperparameters=hyperparameters,
        train_args=trainer_pb2.TrainArgs(splits=[f"{part}_train" for part in parts]),
        eval_args=trainer_pb2.EvalArgs(splits=[f"{part}_validation" for part in parts]),
        custom_config={
            **_trainer_settings(config, locations, "trainer.specialist_trainer", sections),
            "name": name,
        },
    ).with_id(f"{nodes.TRAINERS}{name}")


def _of_the_encoder(
    config: RunConfig, locations: Locations, module: str, more: Sequence[str] = ()
) -> dict[str, Any]:
    """What the training of the global encoder gets, and perhaps more sections."""
    settings = _trainer_settings(config, locations, module, (*_OF_THE_ENCODER, *more))
    # Of the data section alone, because all else in it reaches training as histories.
    settings["config"]["target_actions"] = list(config.data.target_actions)
    return settings


def _trainer_settings(
    config: RunConfig, locations: Locations, module: str, sections: Sequence[str]
) -> dict[str, Any]:
    """What a `run_fn` gets beside the data: what it learns by, so that nothing else retrains."""
    code_version = code_fingerprint(module)
    return {
        "config": {
            name: getattr(config, name).model_dump(mode="json", include=_LEARNT_BY.get(name))
            for name in sections
        },
        "seed": config.run.seed,
        # Training that other code began is not gone on with.
        "checkpoint_root": f"{locations.checkpoints}/{code_version}",
        "code_version": code_version,
    }
