"""The index with own items beside it ranks as the whole catalogue does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.item_transitions import FOLLOWERS, ItemTransitions, TransitionBonus
from trainer.encoder.catalogue import MASKED, Catalogue
from trainer.encoder.own_items import summarise
from trainer.evaluation.ranking import mask_items, target_rank
from trainer.serving.cell_index import build_cells
from trainer.serving.exact_index import ExactIndex, Query
from trainer.serving.top_items import TopItems


@pytest.fixture(scope="module")
def catalogue():
    catalogue = Catalogue(items=40, categories=3, own_items=True, width=8)
    catalogue.build()
    rng = np.random.default_rng(0)
    for weight in catalogue.trainable_weights:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    catalogue.item_category.assign(rng.integers(0, 3, 42))
    return catalogue


@pytest.fixture(scope="module", params=["exact", "all cells"])
def cells(request, catalogue):
    """None for an exact index, or an approximate one that reads everything."""
    if request.param == "exact":
        return None

    queries = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32)
    extended = np.pad(queries, [(0, 0), (0, 1)], constant_values=1.0)
    found = build_cells(catalogue.table().numpy()[1:], extended, recall=1.0, seed=1)
    return dataclasses.replace(found, probes=len(found.centres))


def histories(rng, rows=12, length=30):
    items = rng.integers(0, 42, (rows, length))  # with padding and unknown items
    items[0] = 0
    return tf.constant(items, tf.int32), tf.constant(rng.integers(0, 10**7, items.shape), tf.int64)


def test_bonus_list_equals_full_ranking(catalogue, cells):
    rng = np.random.default_rng(2)
    items, times = histories(rng)
    query = tf.constant(rng.normal(size=(12, 8)), tf.float32)
    own = summarise(items, times)
    got, scores = TopItems(catalogue, 7, cells).with_bonus(query, own)
    full = catalogue.logits(query, own).numpy()
    expected = np.argsort(-full, axis=1, kind="stable")[:, :7]
    np.testing.assert_array_equal(got.numpy(), expected)
    np.testing.assert_allclose(scores.numpy(), np.take_along_axis(full, expected, 1), rtol=1e-4)


def test_one_query_is_answered_as_in_a_batch(catalogue, cells):
    query = tf.constant(np.random.default_rng(4).normal(size=(6, 8)), tf.float32)
    top = TopItems(catalogue, 7, cells)
    together = top.without(query, None)
    alone = [top.without(query[i : i + 1], None) for i in range(6)]
    np.testing.assert_array_equal(together[0], np.concatenate([items for items, _ in alone]))
    np.testing.assert_allclose(
        together[1], np.concatenate([scores for _, scores in alone]), rtol=1e-5
    )


@pytest.mark.parametrize("how", ["without", "with_bonus"])
def test_an_approximate_list_does_not_depend_on_who_else_asks(catalogue, how):
    """A neighbour's long history widens the batch; it must not make others read more cells."""
    rng = np.random.default_rng(5)
    query = tf.constant(rng.normal(size=(8, 8)), tf.float32)
    extended = np.pad(query.numpy(), [(0, 0), (0, 1)], constant_values=1.0)
    found = build_cells(catalogue.table().numpy()[1:], extended, recall=0.5, seed=1)
    top = TopItems(catalogue, 3, dataclasses.replace(found, probes=1))
    items = np.zeros((8, 30), np.int32)
    items[:, :1] = rng.integers(1, 41, (8, 1))
    items[-1] = rng.permutation(40)[:30] + 1
    times = np.zeros((8, 30), np.int64)

    def ask(rows, length):
        seen = tf.constant(items[rows, :length])
        if how == "without":
            return top.without(query[rows], seen)
        return top.with_bonus(query[rows], summarise(seen, tf.constant(times[rows, :length])))

    together, scores = ask(slice(None), 30)
    for row in range(7):
        alone, scores_alone = ask(slice(row, row + 1), 1)
        np.testing.assert_array_equal(together[row], alone[0])
        np.testing.assert_allclose(scores[row], scores_alone[0], rtol=1e-5)


@pytest.mark.parametrize("k", [5, 60])
def test_excluded_items_never_appear(catalogue, cells, k):
    rng = np.random.default_rng(3)
    items, _ = histories(rng)
    query = tf.constant(rng.normal(size=(12, 8)), tf.float32)
    got, _ = TopItems(catalogue, k, cells).without(query, items)
    full = mask_items(catalogue.logits(query), items).numpy()
    for row, listed, seen in zip(got.numpy(), full, items.numpy(), strict=True):
        best = [i for i in np.argsort(-listed, kind="stable")[:k] if listed[i] > -1e8]
        assert row.tolist() == best + [0] * (k - len(best))
        assert not set(row.tolist()) & (set(seen.tolist()) - {0})


def test_the_exact_index_is_a_layer_of_tensorflow_recommenders(catalogue):
    table = catalogue.table()[1:]
    index = ExactIndex(k=3).index(table)
    assert index.is_exact()
    vector = tf.ones([2, 9])
    listed = tf.constant([[4, 0, 41, -1], [7, 7, 0, 0]])
    scores, items = index(Query(vector, listed, tf.fill([2, 4], 100.0)))
    plain = tf.matmul(vector, table, transpose_b=True).numpy()
    assert items.numpy()[:, 0].tolist() == [4, 7]
    # A change counts as often as it is listed.
    np.testing.assert_allclose(scores.numpy()[:, 0], plain[[0, 1], [3, 6]] + [100, 200], rtol=1e-5)
    best = np.argsort(-np.delete(plain[0], 3))[:2]
    np.testing.assert_allclose(scores.numpy()[0, 1:], np.delete(plain[0], 3)[best], rtol=1e-5)
    with pytest.raises(ValueError, match="give no identifiers"):
        ExactIndex(k=3).index(table, tf.range(40))


def test_target_rank_is_the_place_in_the_list(catalogue):
    scores = tf.constant([[-1e9, 3.0, 1.0, 3.0, 2.0]] * 6)
    targets = tf.constant([1, 3, 2, 0, 9, 4])
    # Ties by index; no target is 0; an unknown or excluded item is one past the catalogue.
    assert target_rank(scores, targets).numpy().tolist() == [1, 2, 4, 0, 5, 3]
    excluded = tf.constant([[1, 2]] * 6)
    assert target_rank(scores, targets, excluded).numpy().tolist() == [5, 1, 5, 0, 5, 2]


def test_a_model_that_diverged_ranks_its_targets_last():
    scores = tf.fill((2, 6), float("nan"))
    assert target_rank(scores, tf.constant([1, 5])).numpy().tolist() == [6, 6]


@pytest.mark.parametrize("leave_out", [False, True])
def test_raised_items_stand_where_a_full_ranking_has_them(catalogue, cells, leave_out):
    rng = np.random.default_rng(5)
    items, times = histories(rng)
    query = tf.constant(rng.normal(size=(12, 8)), tf.float32)
    shape = (41, FOLLOWERS)
    followers = np.where(rng.random(shape) < 0.3, rng.integers(1, 41, shape), 0).astype(np.int32)
    strengths = (rng.random(shape) * (followers > 0)).astype(np.float16)
    followers[0] = strengths[0] = 0
    memory = TransitionBonus(ItemTransitions(followers, strengths))
    top, raised = TopItems(catalogue, 7, cells), memory.bonus(items)
    if leave_out:
        got, scores = top.without(query, items, raised)
        full = mask_items(memory.raise_scores(catalogue.logits(query), items), items).numpy()
    else:
        own = summarise(items, times)
        got, scores = top.with_bonus(query, own, raised)
        full = memory.raise_scores(catalogue.logits(query, own), items).numpy()
    expected = np.argsort(-full, axis=1, kind="stable")[:, :7]
    values = np.take_along_axis(full, expected, 1)
    np.testing.assert_array_equal(got.numpy(), np.where(values > -1e8, expected, 0))
    shown = values > -1e8
    np.testing.assert_allclose(scores.numpy()[shown], values[shown], rtol=1e-4)
    plain = np.argsort(-catalogue.logits(query).numpy(), axis=1, kind="stable")[:, :7]
    assert (plain != expected).any()


@pytest.mark.parametrize("k", [7, 60])
@pytest.mark.parametrize("bonus", ["bonus and raised", "bonus", "plain"])
def test_the_two_shelves_part_the_list_of_all_items(catalogue, cells, k, bonus):
    """Own and new items merged by their scores are the list of all; no item stands on both."""
    rng = np.random.default_rng(7)
    items, times = histories(rng)
    query = tf.constant(rng.normal(size=(12, 8)), tf.float32)
    # The bonus knows of fewer events than the shelves do.
    own = None if bonus == "plain" else summarise(items[:, :20], times[:, :20])
    raised = None
    if bonus == "bonus and raised":
        raised = (
            tf.constant(rng.integers(0, 41, (12, 9)), tf.int32),
            tf.constant(rng.random((12, 9)) * 3, tf.float32),
        )
    top = TopItems(catalogue, k, cells)
    if own is None:
        whole, whole_scores = (t.numpy() for t in top.without(query, None, raised))
    else:
        whole, whole_scores = (t.numpy() for t in top.with_bonus(query, own, raised))
    mine, mine_scores = (t.numpy() for t in top.only(query, items, own, raised))
    new, new_scores = (t.numpy() for t in top.without(query, items, raised))
    for row in range(12):
        seen = {item for item in items[row].numpy().tolist() if 0 < item <= 40}
        listed = [item for item in mine[row].tolist() if item]
        assert set(listed) <= seen
        assert len(listed) == len(set(listed)) == min(k, len(seen))
        assert (mine[row, len(listed) :] == 0).all()
        assert not set(new[row].tolist()) & seen
        merged = np.concatenate([mine[row], new[row]])
        scores = np.concatenate([mine_scores[row], new_scores[row]])
        order = np.argsort(-scores, kind="stable")[:k]
        assert merged[order].tolist() == whole[row].tolist()
        shown = whole[row] > 0
        np.testing.assert_allclose(
            scores[order][shown], whole_scores[row][shown], rtol=1e-4, atol=1e-5
        )
    assert (mine[0] == 0).all()  # who has no history


def test_listed_items_score_as_in_the_whole_catalogue(catalogue):
    rng = np.random.default_rng(6)
    query = tf.constant(rng.normal(size=(5, 8)), tf.float32)
    items = rng.integers(1, 41, (5, 9)).astype(np.int32)
    items[:, 3] = 0
    got = catalogue.listed_logits(query, tf.constant(items)).numpy()
    expected = np.take_along_axis(catalogue.logits(query, None).numpy(), items, axis=1)
    assert (got[:, 3] == MASKED).all()
    np.testing.assert_allclose(np.delete(got, 3, 1), np.delete(expected, 3, 1), rtol=1e-4)
