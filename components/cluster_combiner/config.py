"""Settings of the combination."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trainer.settings import Settings


class CombinerConfig(Settings):
    """How the strengths of the specialists are fitted."""

    fit_users: Annotated[int, Field(ge=2)] = 10_000
    """At most so many validation users are fitted on."""
    steps: Annotated[int, Field(ge=1)] = 160
    """Batches of one fit, in as many passes over the users as that takes: however few they are, a
    strength must be able to get from 0 to 1."""
    batch_size: Annotated[int, Field(ge=1)] = 256
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    specialists_per_user: Annotated[int, Field(ge=1)] = 2
    """So many clusters that a user belongs to most have a say in the answer; the cost of serving
    grows with it, not with the number of clusters."""
    controls: bool = True
    """Train two controls that cost what the specialists cost, to tell what the clusters are worth:
    specialists of a random partition, and the global encoder trained on for as many steps. The
    specialists are then used only if they are better than both. The fan-out costs three times as
    much; with false the specialists need to beat the global encoder alone."""
    transitions: bool = True
    """Beside the encoder, count which items follow which in the training histories, and let that
    raise scores where validation users gain from it (`trainer/data/item_transitions.py`). Controls
    and specialists are compared with it, too."""
