"""The peers of the setting `combiner.peers`: trained, and compared with what is served."""

from __future__ import annotations

import polars as pl

from components.cluster_combiner.combiner_inputs import JUDGED_SPLITS, CombinerInputs
from components.cluster_combiner.counted import held_out_of, measured, primary_measure
from components.cluster_combiner.record import PeersRecord
from components.cluster_combiner.worth import lift
from trainer.data.histories import Histories
from trainer.evaluation.compared_models import COMBINER
from trainer.evaluation.peers.selection import PeerSelection, choose_peers


def train_peers(
    inputs: CombinerInputs, training: Histories, validation: Histories
) -> PeerSelection:
    """The peers that were asked for, each with the constants that did best on validation.

    Args:
        inputs: of the component.
        training: whole training histories.
        validation: with what is held out.
    """
    encoder = inputs.encoder
    return choose_peers(
        inputs.config.peers,
        training,
        held_out_of(validation, encoder),
        encoder.catalogue.items,
        primary_measure(encoder.catalogue.items),
        encoder.exclude_seen,
        inputs.seed,
    )


def peers_record(selection: PeerSelection, table: pl.DataFrame) -> PeersRecord | None:
    """What was chosen, and what is served against it; None where no peer was asked for.

    Args:
        selection: the trained peers.
        table: see `comparison.rank_table`, the combiner as it is served.
    """
    if not selection.chosen and not selection.left_out:
        return None
    return PeersRecord(
        chosen={kind: measured(chosen) for kind, chosen in selection.chosen.items()},
        left_out=selection.left_out,
        lifts={
            split: [
                lift(table.filter(pl.col("split") == split), COMBINER, kind)
                for kind in selection.chosen
            ]
            for split in JUDGED_SPLITS
        },
    )
