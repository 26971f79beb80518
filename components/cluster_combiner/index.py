"""The approximate index of a large catalogue, fitted to the queries of validation users."""

from __future__ import annotations

import numpy as np

from trainer.config import ServingConfig
from trainer.encoder.encoder import BehaviorEncoder
from trainer.progress import progress
from trainer.serving.cell_index import RECALLED, Cells, build_cells


def index_cells(
    encoder: BehaviorEncoder, queries: np.ndarray, serving: ServingConfig, seed: int
) -> Cells | None:
    """Cells for the served model; None where the settings want an exact index.

    Args:
        encoder: whose items are served.
        queries: float32 [users, width], of validation users.
        serving: says when an index is approximate, and how good it has to be.
        seed: of the partition.
    """
    catalogue = encoder.as_of_log_end().catalogue
    if not serving.approximate(catalogue.items):
        return None
    if len(queries) < 2:
        progress.info("index: exact, since the validation split has no users to fit another with")
        return None
    progress.info("index: approximate (%s items; serving.index) …", f"{catalogue.items:,}")
    extended = np.pad(queries, [(0, 0), (0, 1)], constant_values=1.0)
    cells = build_cells(catalogue.table().numpy()[1:], extended, serving.index_recall, seed)
    progress.info(
        "index: a query reads %d of %d cells, %.2f%% of the items, and finds %.1f%% of the %d best",
        cells.probes,
        len(cells.centres),
        100 * cells.read,
        100 * cells.recall,
        RECALLED,
    )
    return cells
