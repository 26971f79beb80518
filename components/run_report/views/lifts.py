"""The combiner against something else, as a difference with its interval and in words."""

from __future__ import annotations

from components.cluster_combiner.record import TOO_FEW, Lift
from components.run_report import formats as fmt


def difference(lift: Lift) -> str:
    """The paired difference and its interval: `+.0123 (+.0083 to +.0163)`."""
    mean, low, high = (fmt.signed_metric(figure) for figure in (lift.mean, lift.low, lift.high))
    return f"{mean} ({low} to {high})"


def verdict(lift: Lift, other: str) -> str:
    """Which of both is better, if that can be said.

    Args:
        lift: of the combiner.
        other: what it is compared with, in a word.
    """
    words = {
        "helps": "the combiner is better",
        "hurts": f"the {other} is better",
        "makes no difference": "chance can explain it",
    }
    return TOO_FEW if lift.effect == TOO_FEW else words[lift.effect]
