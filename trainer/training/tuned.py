"""What the Trainers take over from the search for hyper-parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import keras_tuner

from trainer.progress import progress
from trainer.settings import Settings

S = TypeVar("S", bound=Settings)
Tuned = dict[str, dict[str, Any]]
"""Setting -> {"value", "configured"}, as it stands in `training.json`."""
ENCODER_RATE = "training.learning_rate"
SPECIALIST_RATE = "specialists.learning_rate"


def take_over(config: S, values: Mapping[str, Any]) -> tuple[S, Tuned]:
    """The settings with new values, each of which is written to the log.

    Args:
        config: the configured settings.
        values: new values by dotted name.

    Raises:
        ConfigError: a name is not a setting, or its value does not fit.
    """
    new = config.updated(values)
    before, after = config.model_dump(mode="json"), new.model_dump(mode="json")
    tuned: Tuned = {}
    for name in values:
        section, _, key = name.partition(".")
        tuned[name] = {"value": after[section][key], "configured": before[section][key]}
        progress.info("tuned: %s = %s (configured: %s)", name, *map(_shown, tuned[name].values()))
    return new, tuned


def best_values(hyperparameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Dotted name of a setting -> its best value; nothing if there was no search.

    Args:
        hyperparameters: configuration of a `keras_tuner.HyperParameters`, as TFX hands it on.
    """
    if hyperparameters is None:
        return {}
    return dict(keras_tuner.HyperParameters.from_config(hyperparameters).values)


def specialist_values(
    hyperparameters: Mapping[str, Any] | None, configured: float, bounds: tuple[float, float]
) -> dict[str, float]:
    """A specialist's learning rate, following the encoder's best one; empty without a search.

    If twice the configured rate was best for the encoder, the specialists' rate is doubled too, as
    long as it stays within the bounds for fine-tuning. No other value is taken over. Shape and
    dropout come with the encoder itself; whether a weight decay or warm-up that suits training from
    random weights also suits a few epochs from learnt weights is not known.

    Args:
        hyperparameters: as of `best_values`.
        configured: the specialists' configured rate.
        bounds: lowest and highest rate; widened to include `configured`, so that the bounds alone
            never change it.
    """
    if hyperparameters is None:
        return {}
    found = keras_tuner.HyperParameters.from_config(hyperparameters)
    rates = [parameter for parameter in found.space if parameter.name == ENCODER_RATE]
    if not rates:
        return {}
    advised = configured * (found.values[ENCODER_RATE] / rates[0].default)
    low, high = min(bounds[0], configured), max(bounds[1], configured)
    return {SPECIALIST_RATE: min(max(advised, low), high)}


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
