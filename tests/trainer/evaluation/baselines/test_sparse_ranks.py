import numpy as np
import pytest
import scipy.sparse as sp

from tests.helpers.basket_logs import oracle_ranks
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.sparse_lists import sparse_lists
from trainer.evaluation.baselines.sparse_ranks import ItemScores, sparse_ranks


@pytest.mark.parametrize("with_seen", [False, True])
def test_ranks_follow_the_definition_with_ties_and_negative_scores(with_seen):
    rng = np.random.default_rng(1)
    items, users = 14, 60
    places = catalogue_places(random_order(items, 3), rng.integers(0, 4, items))
    scored = rng.random((users, items + 1)) < 0.4
    scored[:, 0] = False
    scored[:5] = False
    data = rng.integers(-2, 3, (users, items + 1))
    matrix = sp.csr_matrix((data[scored], np.nonzero(scored)), scored.shape, dtype=float)
    seen = rng.random((users, items + 1)) < 0.3
    seen[:, 0] = False
    targets = [rng.integers(-1, items + 3, rng.integers(0, 6)) for _ in range(users)]
    splits = np.concatenate([[0], np.cumsum([len(t) for t in targets])])
    ranks = sparse_ranks(
        ItemScores(matrix, places),
        np.concatenate(targets),
        splits,
        sp.csr_matrix(seen) if with_seen else None,
    )
    expected = []
    for user in range(users):
        scores = {i: data[user, i] for i in np.flatnonzero(scored[user])}
        left_out = set(np.flatnonzero(seen[user])) if with_seen else ()
        all_ranks = oracle_ranks(scores, places, left_out)
        expected += [all_ranks[t - 1] if 1 <= t <= items else items + 1 for t in targets[user]]
    np.testing.assert_array_equal(ranks, expected)


@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize("with_seen", [False, True])
def test_lists_hold_the_items_of_the_first_ranks(with_seen, k):
    rng = np.random.default_rng(2)
    items, users = 14, 40
    places = catalogue_places(random_order(items, 3), rng.integers(0, 4, items))
    scored = rng.random((users, items + 1)) < 0.4
    scored[:, 0] = False
    scored[:5] = False
    data = rng.integers(-2, 3, (users, items + 1))
    matrix = sp.csr_matrix((data[scored], np.nonzero(scored)), scored.shape, dtype=float)
    seen = rng.random((users, items + 1)) < 0.3
    seen[:, 0] = False
    left_out = sp.csr_matrix(seen) if with_seen else None
    ranked = ItemScores(matrix, places)
    everything = np.tile(np.arange(1, items + 1), users)
    splits = np.arange(users + 1) * items
    ranks = sparse_ranks(ranked, everything, splits, left_out).reshape(users, items)
    expected = np.zeros((users, k), np.int64)
    for user, row in enumerate(ranks):
        for item, rank in enumerate(row.tolist(), 1):
            if rank <= min(k, items):
                expected[user, rank - 1] = item
    np.testing.assert_array_equal(sparse_lists(ranked, k, left_out), expected)


def test_equal_items_stand_by_the_drawn_order_and_not_by_index():
    counts = np.array([5, 5, 5, 5, 5, 9])
    orders = {tuple(catalogue_places(random_order(6, seed), counts)) for seed in range(20)}
    assert len(orders) > 10
    assert all(places[6] == 1 for places in orders)
    np.testing.assert_array_equal(random_order(6, 4), random_order(6, 4))


def test_later_values_decide_between_equal_ones():
    places = catalogue_places(np.array([2, 1, 0]), np.array([1, 1, 1]), np.array([3, 5, 5]))
    assert places.tolist() == [4, 3, 2, 1]
