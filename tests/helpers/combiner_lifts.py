"""The combiner against another model, made by hand."""

from __future__ import annotations

from components.cluster_combiner.record import Effect, Lift


def combiner_lift(against: str, mean: float, effect: Effect) -> Lift:
    """On 400 users, with an interval of .004 to each side."""
    low, high = mean - 0.004, mean + 0.004
    return Lift(
        model="combiner", against=against, cluster=None, users=400, mean=mean, low=low,
        high=high, base=0.1, effect=effect,
    )  # fmt: skip
