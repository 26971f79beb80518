"""Settings of the combination."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

from trainer.evaluation.compared_models import PEERS
from trainer.nearest import hint
from trainer.settings import Settings


class CombinerConfig(Settings):
    """How the strengths of the specialists are fitted."""

    fit_users: Annotated[int, Field(ge=2)] = 10_000
    """At most how many validation users are fitted on."""
    steps: Annotated[int, Field(ge=1)] = 160
    """How many batches one fit takes, in as many passes over the users as needed: even with few
    users a strength must be able to get from 0 to 1."""
    batch_size: Annotated[int, Field(ge=1)] = 256
    """Users of one step of the fit."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    """Step size of the fit."""
    specialists_per_user: Annotated[int, Field(ge=1)] = 2
    """How many of a user's clusters, the ones that the user belongs to most, count in the answer.
    The cost of serving grows with this number, not with the number of clusters."""
    controls: bool = True
    """Train two controls that cost as much as the specialists, to tell what the clusters are worth:
    specialists of a random partition, and the global encoder trained for as many steps more. The
    specialists are then used only if they are better than both. Training the specialists and
    controls costs three times as much as the specialists alone. With `false` the specialists only
    need to beat the global encoder."""
    transitions: bool = True
    """Count which items follow which in the training histories, and let the counts raise scores
    beside the encoder, if validation users gain from it (`trainer/data/item_transitions.py`).
    Specialists and controls are compared with the counts too."""
    peers: tuple[str, ...] = ()
    """Published recommenders that are trained on the same histories and compared on the same users
    (`trainer/evaluation/peers/`): `als` and `bpr` (these need the extra `peers`), `pure_svd`,
    `ease`, `ncf`, `gru`, `lstm`. Their constants are chosen on validation users. They decide
    nothing, and what is served does not depend on them."""

    @pydantic.field_validator("peers")
    @classmethod
    def _known(cls, peers: tuple[str, ...]) -> tuple[str, ...]:
        for peer in peers:
            if peer not in PEERS:
                raise ValueError(f"unknown peer {peer!r}; {hint(peer, PEERS)}")
        if len(set(peers)) < len(peers):
            raise ValueError("a peer must be named once")
        return peers
