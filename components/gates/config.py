"""Settings of the gates that a model has to pass before it is pushed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainer.evaluation.chance import ENOUGH_USERS
from trainer.settings import Settings


class GatesConfig(Settings):
    """What a model must achieve to be pushed."""

    mode: Literal["enforce", "warn"] = "enforce"
    """"warn" reports the same decisions, and pushes whatever they are."""
    against: Literal["served", "free"] = "served"
    """What the model is compared with: what is served now, if anything is, or always the best free
    baseline (popularity; own items by frequency)."""
    min_test_users: Annotated[int, Field(ge=1)] = ENOUGH_USERS
    """Fewer evaluated users decide nothing: one lucky user must not push a model."""
    min_ndcg_at_10: Annotated[float, Field(ge=0, le=1)] = 0.001
    """Floor for NDCG@10. The default only catches a broken model: in a catalogue of 5,000 items a
    random order has .001, and the weakest real baseline known here (popularity) has .02."""
    max_loss: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of the served model's NDCG@10 that may be lost: a model goes on if it has lost no more,
    beyond chance, so that one that was trained again and is equally good may. With 0 it must be
    better. What to set for how many test users: docs/explain/evaluation.md. A free baseline must be
    beaten beyond chance, whatever this says. A model that ranks what every evaluated user took
    next as the served one does passes."""
    max_cluster_loss: Annotated[float, Field(ge=0, le=1)] = 0.01
    """NDCG@10 of no cluster may fall below the baseline's by more than this, beyond chance."""
    min_cluster_users: Annotated[int, Field(ge=2)] = ENOUGH_USERS
    """Clusters with fewer evaluated users are not judged."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """Of whatever is decided beyond chance: a model that is too bad passes at most as often as this
    leaves, and so seldom does any cluster refuse a model that is bad in none."""
