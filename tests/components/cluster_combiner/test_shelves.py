"""What is recommended of the items that a user had, and of those that are new."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from components.cluster_combiner.comparison import rank_models, summarise
from components.cluster_combiner.counted import chosen_ranks
from components.cluster_combiner.shelves import shelves_record
from tests.helpers.four_baskets import COUNTS, compared, counted_with, encoder_of_six, four_baskets
from trainer.evaluation_config import EvaluationConfig
from trainer.raw_history import TEST, VALIDATION
from trainer.shelves import ALL, NEW, OWN

pytestmark = pytest.mark.slow


def test_both_shelves_by_hand():
    """Of what they took, the first user had 6; 2, 3, 1 and two unknown items were new."""
    histories = four_baskets()
    lists = {
        ALL: np.array([[2, 3, 0], [1, 4, 3], [4, 5, 6], [1, 2, 3]]),
        OWN: np.array([[6, 5, 0], [1, 0, 0], [2, 0, 0], [1, 0, 0]]),
        NEW: np.array([[2, 3, 0], [4, 3, 0], [4, 5, 6], [2, 3, 0]]),
    }
    encoder = encoder_of_six()
    counted = counted_with(encoder)
    table = pl.concat(
        rank_models(
            split=split,
            histories=histories,
            scorer=SimpleNamespace(shown=lambda *_: (np.array([4, 7, 4, 0]), lists)),
            clusters=np.zeros(4, int),
            queries=dict.fromkeys(("global", "routed", "combiner"), np.zeros((4, 1))),
            encoder=encoder,
            counts=COUNTS,
            without_queries=lambda users, baskets: chosen_ranks(
                counted.chosen, users, baskets, False
            ),
        )
        for split in (VALIDATION, TEST)
    )
    second, three = 1 / np.log2(3), 1 + 1 / np.log2(3) + 0.5
    test = table.filter(pl.col("split") == TEST)
    # The first user has 6 twice and 5 once; popularity is 1 2 3 4 5 6.
    assert test["popularity_own_ndcg@10"].to_list() == [pytest.approx(second), None, None]
    assert test["own_items_own_ndcg@10"].to_list() == [1.0, None, None]
    assert test["combiner_own_ndcg@10"].to_list() == [1.0, None, None]
    # Without the own items 2 is second, 3 second and 1 first.
    assert test["popularity_new_ndcg@10"].to_list() == pytest.approx([second, second / three, 1.0])
    assert test["own_items_new_ndcg@10"].to_list() == test["popularity_new_ndcg@10"].to_list()
    assert test["combiner_new_ndcg@10"].to_list() == pytest.approx([1.0, second / three, 0.0])
    assert test["combiner_new_recall@10"].to_list() == pytest.approx([1.0, 1 / 3, 0.0])
    # The list of all has 2 and 3, and not 6.
    assert test["combiner_own_recall_in_all@10"].to_list() == [0.0, None, None]
    assert test["combiner_new_recall_in_all@10"].to_list() == pytest.approx([1.0, 1 / 3, 0.0])

    record = shelves_record(table)
    own, new = (record.splits[TEST][shelf] for shelf in (OWN, NEW))
    assert (own.users, new.users) == (1, 3)
    assert set(own.models) == {"global", "routed", "combiner", *counted.chosen}
    assert new.models["combiner"] == pytest.approx(
        {"recall@10": 4 / 9, "ndcg@10": (1 + second / three) / 3, "recall_in_all@10": 4 / 9}
    )
    # The best on validation users: 6 first, in NDCG; in recall the first of those that find it.
    lift = own.lifts["ndcg@10"]
    assert (lift.against, lift.mean, lift.effect) == ("own_items", 0.0, "too few users")
    assert own.lifts["recall@10"].against == "popularity"
    lift = new.lifts["ndcg@10"]
    assert lift.against == "popularity"
    assert lift.mean == pytest.approx(((1 - second) + 0.0 + (0.0 - 1.0)) / 3)
    assert lift.low < lift.mean < lift.high
    assert summarise(table, EvaluationConfig(), shelves=record).shelves == record


def test_there_are_no_shelves_where_seen_items_are_excluded():
    table = compared(four_baskets(), exclude_seen=True)
    assert not [name for name in table.columns if "_own_" in name or "_new_" in name]
    assert shelves_record(table) is None
