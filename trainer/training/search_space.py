"""The search space for keras-tuner, and the order in which its points are tried."""

from __future__ import annotations

from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from trainer.settings import Settings
from trainer.training.tuning_config import Range, TuningConfig


def hyperparameters(tuning: TuningConfig, config: Settings) -> keras_tuner.HyperParameters:
    """The space, each hyper-parameter named as its setting, with the configured value as default.

    Args:
        tuning: what is searched.
        config: has the sections that the names begin with.
    """
    space = keras_tuner.HyperParameters()
    configured = configured_values(tuning, config)
    for name, values in tuning.space().items():
        if isinstance(values, Range):
            sampling = "log" if values.logarithmic else "linear"
            space.Float(name, values.low, values.high, sampling=sampling, default=configured[name])
        else:
            # keras-tuner takes no default that is not among the choices.
            default = configured[name] if configured[name] in values else None
            space.Choice(name, list(values), default=default)
    return space


def configured_values(tuning: TuningConfig, config: Settings) -> dict[str, Any]:
    """What is configured for each setting that is searched."""
    values = {}
    for name in tuning.space():
        section, _, key = name.partition(".")
        values[name] = getattr(getattr(config, section), key)
    return values


class ConfiguredThenRandom(keras_tuner.oracles.RandomSearchOracle):
    """Random search (Bergstra & Bengio 2012) that tries the configured values first.

    So the search can only leave them for a better result. Of keras-tuner's methods it is the one
    that is fair with few trials: Bayesian optimisation draws three random points for each
    hyper-parameter before it begins, and Hyperband stops those that learn slowly, which are low
    rates and strong regularisation, before they can show their worth.

    Args:
        first: values of the first trial, by name.
        seed: from 0; the same seed gives the same trials.
        **kwargs: as of `keras_tuner.oracles.RandomSearchOracle`.
    """

    def __init__(self, first: dict[str, Any], seed: int, **kwargs: Any) -> None:
        # To keras-tuner 0 means no seed.
        super().__init__(seed=seed + 1, **kwargs)
        self._first = first

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values of the next trial."""
        if not self.trials:
            return {"status": TrialStatus.RUNNING, "values": dict(self._first)}
        return super().populate_space(trial_id)
