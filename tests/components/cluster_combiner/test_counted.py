"""What needs counting only: counts and figures by hand, and what the opponent lists."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components.cluster_combiner.comparison import primary_values, summarise
from components.cluster_combiner.counted import write_opponent
from components.cluster_combiner.item_counts import training_counts
from tests.helpers.four_baskets import compared, four_baskets
from tests.helpers.raw_histories import raw_history, write_records
from trainer.evaluation.compared_models import IN_RESULTS
from trainer.evaluation_config import EvaluationConfig

pytestmark = pytest.mark.slow


def test_whole_baskets_and_training_frequency_by_hand():
    table = compared(four_baskets(), exclude_seen=False)
    # Nothing to look for in the last row.
    assert table["held_out"].to_list() == [2, 3, 1]
    # The most frequent items of the baskets are 2, 3 and 1; 6 never occurs in training.
    assert table["target_frequency"].to_list() == [20, 6, 21]
    # Baskets {2, 6}, {3, unknown, unknown}, {1}; the model lists 2 first and 3 third.
    two, three = 1 + 1 / np.log2(3), 1 + 1 / np.log2(3) + 0.5
    assert table["global_basket_recall@10"].to_list() == pytest.approx([1 / 2, 1 / 3, 0.0])
    assert table["global_basket_ndcg@10"].to_list() == pytest.approx([1 / two, 0.5 / three, 0.0])
    # Popularity is 1 2 3 4 5 6; own items put 6 5 in front for the first user.
    popular = (1 / np.log2(3) + 1 / np.log2(7)) / two
    own = (1 + 1 / np.log2(5)) / two
    assert table["popularity_basket_ndcg@20"].to_list() == pytest.approx([popular, 0.5 / three, 1])
    assert table["own_items_basket_ndcg@20"].to_list() == pytest.approx(
        [own, 0.5 / three, 1 / np.log2(3)]
    )
    comparison = summarise(table, EvaluationConfig())
    assert (comparison.task, comparison.primary) == ("next_basket", "basket_ndcg@10")
    assert comparison.primary_title == "NDCG@10 of the next basket"
    split = comparison.splits["test"]
    assert list(split.by_target_frequency) == ["6-20", "21+"]
    assert split.by_target_frequency["6-20"].users == 2
    slice_ = split.by_target_frequency["6-20"].models["combiner"]
    assert slice_["ndcg@10"] == pytest.approx((1 / np.log2(5) + 1 / 3) / 2)
    assert slice_["basket_recall@20"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert split.overall["combiner"]["basket_recall@20"] == pytest.approx(5 / 18)


def test_seen_items_of_a_basket_are_misses_where_they_are_excluded():
    table = compared(four_baskets(), exclude_seen=True)
    assert "own_items_basket_ndcg@10" not in table.columns
    # The first user has 5 and 6, so of {2, 6} only 2 can be listed; 1 is seen by the second user,
    # which moves 3 to the second place.
    two, three = 1 + 1 / np.log2(3), 1 + 1 / np.log2(3) + 0.5
    assert table["popularity_basket_ndcg@10"].to_list() == pytest.approx(
        [1 / np.log2(3) / two, 1 / np.log2(3) / three, 1.0]
    )


def test_the_order_inside_a_basket_changes_no_figure_of_the_primary_measure():
    order = np.array([2, 0, 1, 5, 4, 3, 6])
    baskets = four_baskets()
    shuffled = dataclasses.replace(baskets, targets=baskets.targets[order])
    table, other = (compared(h, exclude_seen=False) for h in (baskets, shuffled))
    assert table["global"].to_list() == other["global"].to_list()  # ranks are given here
    for model in IN_RESULTS:
        if f"{model}_basket_ndcg@10" in table.columns:
            assert primary_values(table, model).tolist() == primary_values(other, model).tolist()
    assert table["target_frequency"].to_list() == other["target_frequency"].to_list()


def test_training_counts_follow_the_vocabulary(tmp_path):
    files = [
        write_records(tmp_path / f"{part}.gz", [raw_history(item_ids=items) for items in histories])
        for part, histories in enumerate([["abca", "b"], ["aac", ""]])
    ]
    graph = SimpleNamespace(vocabulary_by_name={"items": [b"a", b"c", b"new", b"b"]}.get)
    assert training_counts(files, graph).tolist() == [4, 2, 0, 2]


def test_what_the_opponent_recommends_travels_with_the_examples(tmp_path):
    users = [raw_history(item_ids=items) for items in ("aab", "b", "")]
    files = [write_records(tmp_path / "data.gz", users)]
    graph = SimpleNamespace(vocabulary_by_name={"items": [b"a", b"b", b"c"]}.get)
    encoder = SimpleNamespace(exclude_seen=False, new_items=["d"])
    lists = np.array([[2, 4, 1], [1, 0, 0], [3, 2, 1]])
    opponent = SimpleNamespace(lists=lambda histories, k, exclude_seen: lists)
    write_opponent(opponent, files, None, encoder, graph, str(tmp_path / "judged"))
    found = [
        tf.train.Example.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(tmp_path / "judged/data.gz"), "GZIP")
    ]
    listed = [list(e.features.feature["free_item_ids"].bytes_list.value) for e in found]
    assert listed == [[b"b", b"d", b"a"], [b"a"], [b"c", b"b", b"a"]]
    for example in found:
        del example.features.feature["free_item_ids"]
    originals = tf.data.TFRecordDataset(files, "GZIP")
    assert found == [tf.train.Example.FromString(record.numpy()) for record in originals]
    with pytest.raises(ValueError, match="3 examples do not fit the histories of 2 users"):
        lists = lists[:2]
        write_opponent(opponent, files, None, encoder, graph, str(tmp_path / "other"))
