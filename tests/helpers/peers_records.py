"""What a run says about its peers, made by hand."""

from __future__ import annotations

from components.cluster_combiner.record import Measured, PeersRecord
from tests.helpers.combiner_lifts import combiner_lift


def peers_record() -> PeersRecord:
    """Two trained peers, one of them better than the combiner, and one that was left out."""

    return PeersRecord(
        chosen={
            "als": Measured(constants="64 factors", validation=0.1, tried=9),
            "gru": Measured(constants="width 128", validation=0.1, tried=2),
        },
        left_out={"ease": "the log has 20,000 items"},
        lifts={
            "test": [combiner_lift("als", 0.0123, "helps"), combiner_lift("gru", -0.005, "hurts")]
        },
    )
