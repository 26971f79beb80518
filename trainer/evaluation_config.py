"""What models are asked for: the setting, the task that follows from it, and its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from trainer.settings import ConfigError, Settings

Task = Literal["next_item", "next_basket", "next_period"]
"""The one item that a user takes next; all items of the next instant, such as a basket; or all
items of the days that begin with it."""

_DAY = 86_400


class EvaluationConfig(Settings):
    """What models are asked for. It decides what is held out, and the default of the label."""

    task: Literal["auto", "next_item", "next_basket", "next_period"] = "auto"
    """What of a user's later events is held out. `next_item`: the first item of the next instant.
    `next_basket`: all items of it. `next_period`: all items of the `period_days` that begin with
    it. `auto` holds out the next instant, and calls it a basket where any has several items."""
    period_days: Annotated[float, Field(gt=0)] = 7.0
    """Days of `next_period`; other tasks do not read it."""

    @property
    def period_seconds(self) -> float | None:
        """Length of the period; None unless one is asked for."""
        return self.period_days * _DAY if self.task == "next_period" else None

    def resolved(self, several: bool) -> Task:
        """The task that was set; with `auto` the one that the held-out items show.

        Args:
            several: whether any user has several held-out items.
        """
        if self.task != "auto":
            return self.task
        return "next_basket" if several else "next_item"

    def check_against(self, split: str) -> None:
        """Checks the task against `data.split`.

        Raises:
            ConfigError: they do not fit.
        """
        if self.task == "next_period" and split == "leave_one_out":
            raise ConfigError(
                "evaluation.task=next_period needs data.split=temporal: leave_one_out holds out "
                "the end of each user's log, which no whole period follows"
            )


def in_words(task: Task, period_days: float | None, actions: Sequence[str] = ()) -> str:
    """The task for people, to stand behind "the".

    Args:
        task: what is asked for.
        period_days: of `next_period`.
        actions: the setting `data.target_actions`.

    Example:
        >>> in_words("next_period", 7.0), in_words("next_basket", None)
        ('next 7 days', 'next basket')
        >>> in_words("next_basket", None, ["purchase"]), in_words("next_period", 7.0, ["cart"])
        ('next purchase', 'next 7 days (cart)')
    """
    wanted = " or ".join(actions)
    if task != "next_period" or period_days is None:
        return f"next {wanted}" if wanted else task.replace("_", " ")
    period = "next day" if period_days == 1 else f"next {period_days:g} days"
    return f"{period} ({wanted})" if wanted else period
