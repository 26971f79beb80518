"""Whole next baskets: which items belong to one, and where they stand in a list."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from trainer.data import features
from trainer.data.histories import Histories
from trainer.encoder.catalogue import Catalogue
from trainer.evaluation import scorer
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.metrics import basket_values

CATALOGUE = 30


def histories(items, splits, targets, target_splits):
    columns = {name: np.ones(len(items), np.int32) for name in features.EVENT_COLUMNS}
    columns[features.ITEM] = np.asarray(items, np.int32)
    columns[features.TIME] = np.arange(len(items), dtype=np.int64)
    splits = np.asarray(splits, np.int64)
    return Histories(
        columns,
        splits,
        np.asarray(targets, np.int32),
        np.asarray(target_splits, np.int64),
        np.zeros(len(splits) - 1, np.int64),
    )


def random_histories(users, seed):
    rng = np.random.default_rng(seed)
    splits = np.concatenate([[0], np.cumsum(rng.integers(0, 12, users))])
    target_splits = np.concatenate([[0], np.cumsum(rng.integers(0, 10, users))])
    # CATALOGUE + 1 is the unknown item.
    return histories(
        rng.integers(1, CATALOGUE + 2, splits[-1]),
        splits,
        rng.integers(1, CATALOGUE + 2, target_splits[-1]),
        target_splits,
    )


def test_every_known_item_once_and_every_unknown_event():
    given = histories([5, 7], [0, 1, 2, 2], [7, 5, 7, 31, 31, 0, 5, 7], [0, 5, 6, 8])
    baskets = Baskets.of(given, CATALOGUE, exclude_seen=False)
    assert baskets.items.tolist() == [5, 7, 31, 31, 5, 7]
    assert baskets.splits.tolist() == [0, 4, 4, 6]
    assert baskets.own.tolist() == [True, False, False, False, False, False]


def test_an_unknown_item_is_never_the_users_own():
    given = histories([31, 5, 7], [0, 2, 3], [31, 5, 7, 5], [0, 3, 4])
    baskets = Baskets.of(given, CATALOGUE, exclude_seen=False)
    assert baskets.items.tolist() == [5, 7, 31, 5]
    assert baskets.own.tolist() == [True, False, False, False]


def test_seen_items_cannot_be_listed_where_they_are_excluded():
    given = histories([5, 7, 5], [0, 2, 3], [7, 5, 9, 9, 7], [0, 3, 5])
    baskets = Baskets.of(given, CATALOGUE, exclude_seen=True)
    assert baskets.items.tolist() == [31, 31, 9, 7, 9]
    assert baskets.splits.tolist() == [0, 3, 5]


def test_places_in_the_lists():
    baskets = Baskets.of(histories([], [0] * 4, [2, 9, 31, 9, 2], [0, 3, 3, 5]), CATALOGUE, False)
    lists = np.array([[9, 4, 0], [2, 9, 31], [4, 9, 2]])
    assert baskets.ranks_in(lists).tolist() == [0, 1, 0, 3, 2]
    assert Baskets.of(histories([], [0], [], [0]), CATALOGUE, False).ranks_in(lists[:0]).size == 0


@pytest.mark.parametrize("exclude_seen", [False, True])
@pytest.mark.parametrize("k", [7, 40])
def test_one_list_a_user_ranks_the_whole_basket(monkeypatch, exclude_seen, k):
    """Against a ranking of every item for every user, one after the other."""

    users, width, rng = 50, 8, np.random.default_rng(3)
    monkeypatch.setattr(scorer, "_SCORES_AT_ONCE", 8 * (CATALOGUE + 1))  # batches of 8
    catalogue = Catalogue(items=CATALOGUE, categories=0, own_items=False, width=width)
    catalogue.build()
    # Few distinct values, so that there are ties.
    table = rng.integers(-1, 2, (CATALOGUE + 2, width)).astype(np.float32)
    catalogue.item_embedding.embeddings.assign(table)
    encoder = SimpleNamespace(
        catalogue=catalogue,
        own_events=0,
        exclude_seen=exclude_seen,
        tower=SimpleNamespace(max_events=50, width=width),
    )
    given = random_histories(users, seed=4)
    queries = rng.integers(-1, 2, (users, width)).astype(np.float32)
    baskets = Baskets.of(given, CATALOGUE, exclude_seen)
    lists = scorer.Scorer(encoder, given).lists(queries, k)
    ranks = baskets.ranks_in(lists)
    next_item, shown = scorer.Scorer(encoder, given).shown(queries, k)
    np.testing.assert_array_equal(next_item, scorer.Scorer(encoder, given).ranks(queries))
    np.testing.assert_array_equal(shown["all"], lists)
    assert set(shown) == ({"all"} if exclude_seen else {"all", "own", "new"})

    scores = catalogue.logits(tf.constant(queries)).numpy()
    item_column, expected, listed = given.columns["item"], [], 0
    for user in range(users):
        seen = set(item_column[given.splits[user] : given.splits[user + 1]].tolist())
        order = sorted(range(1, CATALOGUE + 1), key=lambda i, row=scores[user]: (-row[i], i))
        if not exclude_seen:
            own = [i for i in order if i in seen][:k]
            assert shown["own"][user].tolist() == own + [0] * (k - len(own))
            new = [i for i in order if i not in seen][:k]
            assert shown["new"][user].tolist() == new + [0] * (k - len(new))
        order = [i for i in order if not (exclude_seen and i in seen)][:k]
        basket = given.targets[given.target_splits[user] : given.target_splits[user + 1]].tolist()
        distinct = sorted({i for i in basket if i <= CATALOGUE}) + [
            i for i in basket if i > CATALOGUE
        ]
        places = [order.index(i) + 1 if i in order else 0 for i in distinct]
        expected.append(places)
        listed += sum(place > 0 for place in places)
    if k >= 10:
        found = scorer.Scorer(encoder, given).values(queries)
        np.testing.assert_array_equal(found, basket_values(ranks, baskets.splits, "basket_ndcg@10"))
        assert np.isnan(found).tolist() == (np.diff(baskets.splits) == 0).tolist()
    assert listed > users / 2
    assert [part.tolist() for part in np.split(ranks, baskets.splits[1:-1])] == expected
