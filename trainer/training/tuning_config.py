"""Settings of the search for hyper-parameters, and the space that it searches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from trainer.config import Auto, Share
from trainer.settings import ConfigError, Settings


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] >= bounds[1]:
        raise ValueError("write it as [low, high] with low below high")
    return bounds


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise ValueError("a value stands there twice")
    return values


Positive = Annotated[float, Field(gt=0)]
PositiveBounds = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]
ShareBounds = Annotated[tuple[Share, Share], AfterValidator(_rising)]
Sizes = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=2), AfterValidator(_distinct)
]


@dataclass(frozen=True)
class Range:
    """All numbers between two bounds, which of them are as likely as others by scale."""

    low: float
    high: float
    logarithmic: bool


class TuningConfig(Settings):
    """The search before `Trainer.encoder`; the section's bounds are of the settings so named.

    A bound or list that is null leaves its setting as it is configured. The configured values
    themselves are always the first trial, whether they lie within the bounds or not.
    """

    enabled: bool = False
    trials: Annotated[int, Field(ge=2)] = 8
    """How many encoders are trained, the configured one among them."""
    epochs: Annotated[int, Field(ge=1)] | Auto = "auto"
    """The most of each trial, the learning rate's rise and fall included; `auto` as in training, so
    that the best trial is what is trained in the end. Shorter trials are cheaper and favour what
    learns fast; what they find need not help a longer training (`docs/results.md`)."""
    learning_rate: PositiveBounds | None = (5e-4, 5e-3)
    """Of an encoder that starts from random weights."""
    warmup_share: ShareBounds | None = (0.02, 0.2)
    weight_decay: PositiveBounds | None = (1e-3, 1e-1)
    dropout: ShareBounds | None = (0.1, 0.4)
    width: Sizes | None = (32, 64, 96)
    layers: Sizes | None = (1, 2, 3)
    specialist_learning_rate: PositiveBounds = (1e-5, 3e-4)
    """Within what the specialists' rate follows the encoder's (`trainer/training/tuned.py`). A
    specialist starts from learnt weights, which a rate for random ones would wipe out."""

    @model_validator(mode="after")
    def _something_to_search(self) -> TuningConfig:
        if self.enabled and not self.space():
            raise ValueError("nothing to search: every bound and list is null")
        return self

    def space(self) -> dict[str, Range | tuple[int, ...]]:
        """What is searched, by dotted name of the setting."""
        space: dict[str, Range | tuple[int, ...] | None] = {
            # Rates and penalties act by their order of magnitude, shares by their size.
            "training.learning_rate": _range(self.learning_rate, logarithmic=True),
            "training.warmup_share": _range(self.warmup_share, logarithmic=False),
            "training.weight_decay": _range(self.weight_decay, logarithmic=True),
            "encoder.dropout": _range(self.dropout, logarithmic=False),
            "encoder.width": self.width,
            "encoder.layers": self.layers,
        }
        return {name: values for name, values in space.items() if values is not None}

    def check_against(self, config: Settings) -> None:
        """Tries every bound and every size on the settings that they are of.

        Args:
            config: has the sections `encoder` and `training`.

        Raises:
            ConfigError: naming the section's setting and what is wrong with a value of it.
        """
        for name, value in self._extremes():
            try:
                config.updated({name: value})
            except ConfigError as error:
                setting = f"tuning.{name.partition('.')[2]}"
                raise ConfigError(f"{setting}: {value} cannot be tried: {error}") from None

    def _extremes(self) -> Iterator[tuple[str, Any]]:
        for name, values in self.space().items():
            ends = (values.low, values.high) if isinstance(values, Range) else values
            for value in ends:
                yield name, value


def _range(bounds: tuple[float, float] | None, logarithmic: bool) -> Range | None:
    return None if bounds is None else Range(*bounds, logarithmic=logarithmic)
