"""Settings of the gates that a model has to pass before it is pushed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainer.settings import Settings


class GatesConfig(Settings):
    """What a model must achieve to be pushed."""

    mode: Literal["enforce", "warn"] = "enforce"
    """"warn" reports the same decisions, and pushes whatever they are."""
    against: Literal["served", "free"] = "served"
    """What the model is compared with: what is served now, if anything is, or always the best free
    baseline (popularity; own items by frequency)."""
    min_test_users: Annotated[int, Field(ge=1)] = 30
    """Fewer evaluated users decide nothing: one lucky user must not push a model."""
    min_ndcg_at_10: Annotated[float, Field(ge=0, le=1)] = 0.001
    """Floor for NDCG@10. The default only catches a broken model: in a catalogue of 5,000 items a
    random order has .001, and the weakest real baseline known here (popularity) has .02."""
    min_improvement: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """NDCG@10 overall must exceed the baseline's by more than this; 0 means strictly better. A
    model that ranks every evaluated user's next item as the baseline does need not."""
    max_cluster_loss: Annotated[float, Field(ge=0, le=1)] = 0.01
    """NDCG@10 of no cluster may fall below the baseline's by more than this."""
    min_cluster_users: Annotated[int, Field(ge=2)] = 30
    """Clusters with fewer evaluated users are not judged: too few for the interval to hold."""
    cluster_confidence: Annotated[float, Field(ge=0, lt=1)] = 0.95
    """A cluster's loss counts only if the paired interval of this confidence excludes 0; with 0
    every loss counts, also one that chance explains."""
