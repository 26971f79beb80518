"""The combiner against published recommenders, where a run was asked to train some."""

from __future__ import annotations

import dataclasses

from components.cluster_combiner.record import ComparisonRecord, Lift
from components.run_report import formats as fmt
from components.run_report.views.lifts import difference, verdict


@dataclasses.dataclass(frozen=True)
class PeerRow:
    """One peer: the constants that validation users chose, and what is served against it."""

    name: str
    constants: str
    difference: str
    says: str


@dataclasses.dataclass(frozen=True)
class PeersView:
    """The table.

    Attributes:
        split: whose users it is about.
        rows: the trained peers.
        left_out: (name, why) of the others.
    """

    split: str
    rows: list[PeerRow]
    left_out: list[tuple[str, str]]


def peers_view(comparison: ComparisonRecord, split: str) -> PeersView | None:
    """The table; None where no peer was asked for.

    Args:
        comparison: of the run.
        split: whose users are shown.
    """
    peers = comparison.peers
    if peers is None:
        return None
    lifts = {lift.against: lift for lift in peers.lifts.get(split, [])}
    return PeersView(
        split=split,
        rows=[_row(kind, chosen.constants, lifts[kind]) for kind, chosen in peers.chosen.items()],
        left_out=[(fmt.model_name(kind), reason) for kind, reason in peers.left_out.items()],
    )


def _row(kind: str, constants: str, lift: Lift) -> PeerRow:
    return PeerRow(
        name=fmt.model_name(kind),
        constants=constants,
        difference=difference(lift),
        says=verdict(lift, "peer"),
    )
