import numpy as np
import pytest
import scipy.sparse as sp

from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.sparse_ranks import ItemScores, sparse_ranks
from trainer.evaluation.peers.dense_ranks import dense_ranks

USERS, ITEMS = 20, 12
PLACES = catalogue_places(random_order(ITEMS, 1))


@pytest.mark.parametrize("exclude_seen", [False, True])
def test_ranks_are_those_of_the_sparse_ranking(exclude_seen):
    rng = np.random.default_rng(0)
    scores = rng.integers(1, 6, (USERS, ITEMS)).astype(np.float64)  # with many ties
    whole = sp.csr_matrix(np.column_stack([np.zeros(USERS), scores]))
    seen = np.column_stack([np.zeros(USERS), rng.random((USERS, ITEMS)) < 0.3])
    seen = sp.csr_matrix(seen) if exclude_seen else None
    targets = np.tile(np.arange(ITEMS + 3), USERS)  # 0 and two that nobody knows, too
    splits = np.arange(USERS + 1) * (ITEMS + 3)
    expected = sparse_ranks(ItemScores(whole, PLACES), targets, splits, seen)
    found = dense_ranks(scores, PLACES, targets, splits, seen)
    np.testing.assert_array_equal(found, expected)
    assert (found[targets == 0] == ITEMS + 1).all()


def test_what_is_no_number_stands_last():
    scores = np.array([[np.nan, 1.0, -5.0, np.nan]])
    places = np.array([5, 1, 2, 3, 4])
    ranks = dense_ranks(scores, places, np.arange(1, 5), np.array([0, 4]))
    assert ranks.tolist() == [3, 1, 2, 4]
