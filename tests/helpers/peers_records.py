"""What a run says about its peers, made by hand."""

from __future__ import annotations

from components.cluster_combiner.record import Effect, Lift, Measured, PeersRecord


def peers_record() -> PeersRecord:
    """Two trained peers, one of them better than the combiner, and one that was left out."""

    def lift(against: str, mean: float, effect: Effect) -> Lift:
        low, high = mean - 0.004, mean + 0.004
        return Lift(
            model="combiner", against=against, cluster=None, users=400, mean=mean, low=low,
            high=high, base=0.1, effect=effect,
        )  # fmt: skip

    return PeersRecord(
        chosen={
            "als": Measured(constants="64 factors", validation=0.1, tried=9),
            "gru": Measured(constants="width 128", validation=0.1, tried=2),
        },
        left_out={"ease": "the log has 20,000 items"},
        lifts={"test": [lift("als", 0.0123, "helps"), lift("gru", -0.005, "hurts")]},
    )
