"""Settings of the behaviour head: which actions it foresees, how far, and when it is good enough.

The head says how likely a user takes such an action soon (`trainer/serving/behavior_head.py`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trainer.action_name import ActionName
from trainer.settings import ConfigError, Settings

DAY = 86_400


class BehaviorConfig(Settings):
    """The behaviour head: how likely a user takes one of some actions next, and within days."""

    actions: tuple[ActionName, ...] = ()
    """Actions (as renamed by `data.actions`) that the head foresees, e.g. ["purchase"]. Empty: no
    head."""
    days: Annotated[int, Field(ge=1)] = 7
    """How far "soon" reaches, for the second of its two figures. The validation and the test window
    must be longer, or nobody knows what happened."""
    min_auc: Annotated[float, Field(ge=0.5, lt=1)] = 0.6
    """A figure is served only if its AUC on validation is above this: .5 is guessing, 1 is
    certain."""

    @property
    def seconds(self) -> int:
        """The days in seconds."""
        return self.days * DAY

    def check_against(self, split: str) -> None:
        """Checks the head against `data.split`.

        Raises:
            ConfigError: they do not fit.
        """
        if self.actions and split == "leave_one_out":
            raise ConfigError(
                "behavior_head.actions needs data.split=temporal: leave_one_out ends each user's "
                "log at another time, so nobody knows who did nothing afterwards"
            )
