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
    """The numbers between two bounds: all equally likely, or all orders of magnitude if
    logarithmic.
    """

    low: float
    high: float
    logarithmic: bool


class TuningConfig(Settings):
    """The search before `Trainer.encoder`. Each bound or list belongs to the setting of its name.

    Where it is null, the setting stays as configured. The configured values are always the first
    trial, whether or not they lie within the bounds.
    """

    enabled: bool = False
    """Search before the training."""
    trials: Annotated[int, Field(ge=2)] = 8
    """How many encoders are trained, including the configured one."""
    epochs: Annotated[int, Field(ge=1)] | Auto = "auto"
    """Upper bound of the epochs of a trial, over which the learning rate rises and falls. With
    `auto` it is that of the training, so that the best trial repeats what is trained in the end.
    Shorter trials are cheaper, but favour settings that learn fast and may not help a longer
    training (`docs/journal/results.md`)."""
    learning_rate: PositiveBounds | None = (5e-4, 5e-3)
    """Learning rate of an encoder that starts from random weights."""
    warmup_share: ShareBounds | None = (0.02, 0.2)
    """Lowest and highest share of warm-up steps."""
    weight_decay: PositiveBounds | None = (1e-3, 1e-1)
    """Lowest and highest weight decay, on a logarithmic scale."""
    dropout: ShareBounds | None = (0.1, 0.4)
    """Lowest and highest dropout."""
    width: Sizes | None = (32, 64, 96)
    """The widths that are tried."""
    layers: Sizes | None = (1, 2, 3)
    """The numbers of blocks that are tried."""
    specialist_learning_rate: PositiveBounds = (1e-5, 3e-4)
    """Bounds within which the specialists' rate follows the encoder's
    (`trainer/training/tuned.py`). A specialist starts from learnt weights, which a rate meant for
    random weights would destroy."""

    @model_validator(mode="after")
    def _something_to_search(self) -> TuningConfig:
        if self.enabled and not self.space():
            raise ValueError("nothing to search: every bound and list is null")
        return self

    def space(self) -> dict[str, Range | tuple[int, ...]]:
        """The bounds or lists that are searched, by dotted name of the setting."""
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
        """Checks every bound and every listed value against the setting that it belongs to.

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
