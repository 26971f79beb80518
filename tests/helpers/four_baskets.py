"""The next baskets of four users, and tables of ranks over them, small enough to check by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from components.cluster_combiner.comparison import Ranks, rank_table
from components.cluster_combiner.counted import choose_counted, chosen_ranks
from tests.helpers.item_histories import histories as item_histories
from trainer.data import features
from trainer.data.histories import Histories
from trainer.evaluation.baskets import Baskets

ITEMS = 6
COUNTS = np.array([21, 20, 6, 5, 1, 0])
"""Training events of each item."""


def four_baskets():
    """Four users and six items; the unknown item is 7, and the last user took nothing."""
    columns = {name: np.ones(6, np.int32) for name in features.EVENT_COLUMNS}
    columns[features.ITEM] = np.array([6, 6, 5, 1, 2, 1], np.int32)
    return Histories(
        columns,
        splits=np.array([0, 3, 4, 5, 6]),
        targets=np.array([6, 2, 6, 7, 3, 7, 1], np.int32),
        target_splits=np.array([0, 3, 6, 7, 7]),
        first_target=np.zeros(4, np.int64),
    )


def encoder_of_six(exclude_seen=False):
    """What is asked of an encoder: its catalogue, and whether seen items are left out."""
    return SimpleNamespace(catalogue=SimpleNamespace(items=ITEMS), exclude_seen=exclude_seen)


def counted_with(encoder):
    """The free baselines, with the constants that a search starts with: nobody chooses."""
    training = item_histories(np.repeat(np.arange(1, ITEMS + 1), COUNTS).tolist())
    nobody = four_baskets().take(np.zeros(0, np.int64))
    return choose_counted(training, nobody, encoder, seed=1)


def compared(histories, exclude_seen):
    """Free baselines and a model that lists what is written here, see `rank_table`."""
    baskets = Baskets.of(histories, ITEMS, exclude_seen)
    lists = np.array([[2, 3, 0], [1, 4, 3], [9, 9, 9], [1, 2, 3]])
    model = Ranks(np.array([4, 7, 4, 0]), baskets.ranks_in(lists))
    chosen = counted_with(encoder_of_six(exclude_seen)).chosen
    return rank_table(
        "test",
        histories,
        baskets,
        COUNTS,
        np.array([0, 1, 1, 0]),
        chosen_ranks(chosen, histories, baskets, exclude_seen)
        | dict.fromkeys(("global", "routed", "combiner"), model),
    )
