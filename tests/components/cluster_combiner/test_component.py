"""The combination leaves the global encoder only for a gain."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import tensorflow as tf

from components.cluster_combiner import fitting
from components.cluster_combiner.comparison import (
    FREQUENCY_BANDS,
    Ranks,
    primary_values,
    rank_models,
    rank_table,
    serve_global,
    summarise,
)
from components.cluster_combiner.config import CombinerConfig
from components.cluster_combiner.counted import choose_counted, chosen_ranks, write_opponent
from components.cluster_combiner.fitting import combine, fit_strengths
from components.cluster_combiner.item_counts import training_counts
from components.cluster_combiner.scored import Scored
from components.cluster_combiner.shelves import shelves_record
from tests.helpers.item_histories import histories as item_histories
from tests.helpers.raw_histories import raw_history, write_records
from trainer.clusters.mixture import mixture_weights, strongest
from trainer.data import features
from trainer.data.histories import Histories
from trainer.encoder.catalogue import Catalogue
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.compared_models import IN_RESULTS
from trainer.evaluation.metrics import basket_metric_names, basket_values, user_values
from trainer.evaluation.ranking import target_rank, top_list
from trainer.evaluation_config import EvaluationConfig
from trainer.raw_history import TEST, VALIDATION
from trainer.shelves import ALL, NEW, OWN

pytestmark = pytest.mark.slow

ITEMS, WIDTH, USERS = 60, 8, 400
ITEMS_OF_FOUR = 6


@pytest.fixture(scope="module")
def planted():
    """Two clusters; specialists know their own cluster's next items, the global encoder less."""

    rng = np.random.default_rng(0)
    catalogue = Catalogue(items=ITEMS, categories=0, own_items=False, width=WIDTH)
    catalogue.build()
    table = rng.normal(size=(ITEMS + 2, WIDTH)).astype(np.float32)
    catalogue.item_embedding.embeddings.assign(table)
    targets = rng.integers(1, ITEMS + 1, USERS).astype(np.int32)
    cluster = np.arange(USERS) % 2
    membership = np.where(cluster[:, None] == [[0, 1]], 0.9, 0.1).astype(np.float32)
    histories = Histories(
        {name: np.ones(USERS, np.int32) for name in features.EVENT_COLUMNS},
        splits=np.arange(USERS + 1),
        targets=targets,
        target_splits=np.arange(USERS + 1),
        first_target=np.ones(USERS, np.int64),
    )

    def noise(scale):
        return rng.normal(0, scale, (USERS, WIDTH)).astype(np.float32)

    def rank_of(queries):
        return target_rank(catalogue.logits(tf.constant(queries)), tf.constant(targets)).numpy()

    def lists_of(queries, k):
        return top_list(catalogue.logits(tf.constant(queries)), k).numpy()

    wanted = table[targets]
    knows = [np.where(cluster[:, None] == k, wanted, 0) + noise(1.0) for k in (0, 1)]
    return SimpleNamespace(
        catalogue=catalogue,
        histories=histories,
        membership=membership,
        rank_of=rank_of,
        lists_of=lists_of,
        useful=np.stack([0.3 * wanted + noise(1.0), *knows]).astype(np.float32),
        useless=np.stack([wanted + noise(0.3), noise(2.0), noise(2.0)]).astype(np.float32),
    )


def fit(planted, queries):
    return fit_strengths(
        queries=queries,
        membership=planted.membership,
        histories=planted.histories,
        catalogue=planted.catalogue,
        own_events=0,
        values_of=lambda queries: user_values(planted.rank_of(queries), "ndcg@10"),
        config=CombinerConfig(),
        seed=1,
    )


def test_useful_specialists_get_weight(planted):
    result = fit(planted, planted.useful)
    assert result.kept
    assert (result.strengths > 0.3).all(), result
    assert "specialists are used" in result.reason


def test_useless_specialists_leave_the_global_encoder_alone(planted):
    result = fit(planted, planted.useless)
    assert not result.kept
    assert (result.strengths == 0).all(), result
    np.testing.assert_array_equal(result.crossfit_queries, planted.useless[0])


def test_strengths_are_fitted_beside_own_items():
    # Every user has another number of own items, and takes what the specialist knows.
    rng = np.random.default_rng(0)
    seen = [rng.integers(1, ITEMS + 1, 1 + user % 7).tolist() for user in range(60)]
    targets = rng.integers(1, ITEMS + 1, 60).astype(np.int32)
    users = dataclasses.replace(item_histories(*seen), targets=targets, target_splits=np.arange(61))
    catalogue = Catalogue(items=ITEMS, categories=0, own_items=True, width=WIDTH)
    catalogue.build()
    table = rng.normal(size=(ITEMS + 2, WIDTH)).astype(np.float32)
    catalogue.item_embedding.embeddings.assign(table)
    queries = np.stack([rng.normal(size=(60, WIDTH)), 5 * table[targets]]).astype(np.float32)
    result = fit_strengths(
        queries=queries,
        membership=np.ones((60, 1), np.float32),
        histories=users,
        catalogue=catalogue,
        own_events=8,
        values_of=lambda queries: (queries * table[targets]).sum(axis=1),
        config=CombinerConfig(batch_size=8, steps=40),
        seed=1,
    )
    assert result.kept
    assert result.strengths[0] > 0.5


def test_specialists_that_were_refused_are_not_fitted(planted, monkeypatch):
    monkeypatch.setattr(fitting, "full_softmax_loss", None)  # No loss may be computed.
    result = fit(planted, np.repeat(planted.useful[:1], 3, axis=0))
    assert not result.kept
    assert (result.fitted == 0).all()
    np.testing.assert_array_equal(result.crossfit_queries, planted.useful[0])


def test_models_with_equal_queries_are_ranked_once(planted):
    asked = []

    def shown(queries, k, transitions):
        asked.append(transitions)
        return planted.rank_of(queries), {ALL: planted.lists_of(queries, k)}

    alone, other = planted.useful[0], planted.useful[1]
    table = rank_models(
        split="test",
        histories=planted.histories,
        scorer=SimpleNamespace(shown=shown),
        clusters=np.zeros(USERS, np.int64),
        queries={
            "encoder": alone, "global": alone, "routed": alone.copy(), "combiner": other,
        },
        encoder=SimpleNamespace(catalogue=planted.catalogue, exclude_seen=False),
        counts=np.ones(ITEMS),
        without_queries=lambda histories, baskets: {},
    )  # fmt: skip
    assert asked == [0.0, 1.0, 1.0], "the encoder without transitions is a model of its own"
    assert table["routed"].equals(table["global"].alias("routed"))
    assert not table["combiner"].equals(table["global"].alias("combiner"))


def test_strength_zero_is_the_global_encoder(planted):
    combined = combine(planted.useful, planted.membership, np.zeros(2))
    np.testing.assert_allclose(combined, planted.useful[0], rtol=1e-6)


def test_weights_sum_to_one():
    weights = mixture_weights(tf.constant([[0.2, 0.8], [1.0, 0.0]]), tf.constant([0.5, 1.0]))
    np.testing.assert_allclose(weights, [[0.1, 0.1, 0.8], [0.5, 0.5, 0.0]], atol=1e-6)


def test_only_the_clusters_a_user_belongs_to_most_count():
    membership = np.array([[0.5, 0.1, 0.4], [0.2, 0.7, 0.1], [0.0, 0.0, 0.0]], np.float32)
    two = np.array([[0.5, 0.0, 0.4], [0.2, 0.7, 0.0], [0.0, 0.0, 0.0]], np.float32)
    np.testing.assert_array_equal(strongest(membership, 2), two)
    np.testing.assert_array_equal(strongest(membership, 1).numpy().sum(axis=1), membership.max(1))
    np.testing.assert_array_equal(strongest(membership, 3), membership)


def test_comparison_counts_users_by_slice(planted):
    ones = np.ones(USERS, np.int64)
    table = rank_table(
        "test",
        planted.histories,
        Baskets.of(planted.histories, ITEMS, exclude_seen=False),
        np.arange(ITEMS, 0, -1),
        np.arange(USERS) % 2,
        {
            "global": Ranks(ones, ones),
            "routed": Ranks(ones + 1, ones + 1),
            "combiner": Ranks(ones + 20, ones * 0),
        },
    )
    assert isinstance(table, pl.DataFrame)
    assert table.height == USERS
    comparison = summarise(table, EvaluationConfig())
    split = comparison.splits["test"]
    assert (comparison.task, comparison.primary) == ("next_item", "ndcg@10")
    assert split.overall["global"]["ndcg@10"] == 1.0
    assert split.overall["routed"]["ndcg@10"] == pytest.approx(1 / np.log2(3))
    assert split.overall["combiner"]["hr@20"] == 0.0
    assert split.by_cluster["1"].users == USERS // 2
    assert split.by_history_length["1-4"].users == USERS
    # Baskets of one item would only repeat the figures of the next item.
    assert not [name for name in split.overall["global"] if "basket" in name]
    routed = primary_values(table, "routed")
    np.testing.assert_allclose(routed, user_values(table["routed"].to_numpy(), "ndcg@10"))


def test_refused_specialists_leave_the_global_encoder_in_every_figure(planted):
    refused = fit(planted, planted.useful).refused("a random partition does as well")
    assert not refused.kept
    assert (refused.strengths == 0).all()
    assert refused.fitted.any()
    assert "but a random partition does as well" in refused.reason
    assert "specialists are used" not in refused.reason
    table = pl.DataFrame(
        {"global": [1, 2], "global_basket_ndcg@10": [0.5, 0.1], "routed": [3, 4]}
    ).with_columns(combiner=pl.lit(9), **{"combiner_basket_ndcg@10": pl.lit(0.0)})
    served = serve_global(table)
    assert served["combiner"].to_list() == [1, 2]
    assert served["routed"].to_list() == [3, 4]
    assert served["combiner_basket_ndcg@10"].to_list() == [0.5, 0.1]


def test_users_of_no_cluster_get_the_global_encoder_and_a_slice(planted):
    noise = np.arange(USERS) % 4 == 0
    clusters = np.where(noise, -1, np.arange(USERS) % 2)
    membership = np.where(noise[:, None], 0, planted.membership).astype(np.float32)
    scorer = SimpleNamespace(
        shown=lambda queries, k, share: (
            planted.rank_of(queries),
            {ALL: planted.lists_of(queries, k)},
        ),
    )
    scored = Scored(planted.histories, scorer, planted.useful, clusters, membership)
    encoder = SimpleNamespace(catalogue=planted.catalogue, exclude_seen=False)
    combined = combine(planted.useful, membership, np.ones(2))
    np.testing.assert_allclose(combined[noise], planted.useful[0][noise], rtol=1e-6)
    queries = {"global": planted.useful[0], "routed": scored.routed(), "combiner": combined}
    queries["continued"] = planted.useful[1]
    table = rank_models(
        split="test",
        histories=planted.histories,
        scorer=scorer,
        clusters=clusters,
        queries=queries,
        encoder=encoder,
        counts=np.ones(ITEMS, np.int64),
        without_queries=lambda users, baskets: {
            "popularity": Ranks(users.next_item, baskets.items)
        },
    )
    assert table["popularity"].to_list() == planted.histories.next_item.tolist()
    rows = table.filter(pl.col("cluster") == -1)
    assert rows.height == noise.sum()
    assert rows["routed"].to_list() == rows["global"].to_list() == rows["combiner"].to_list()
    assert rows["continued"].to_list() != rows["global"].to_list()
    members = table.filter(pl.col("cluster") >= 0)
    assert members["routed"].to_list() != members["global"].to_list()
    by_cluster = summarise(table, EvaluationConfig()).splits["test"].by_cluster
    assert {name: part.users for name, part in by_cluster.items()} == {
        str(k): int((clusters == k).sum()) for k in (-1, 0, 1)
    }


@pytest.fixture(scope="module")
def baskets_of_four():
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


def compared(histories, exclude_seen):
    baskets = Baskets.of(histories, ITEMS_OF_FOUR, exclude_seen)
    lists = np.array([[2, 3, 0], [1, 4, 3], [9, 9, 9], [1, 2, 3]])
    model = Ranks(np.array([4, 7, 4, 0]), baskets.ranks_in(lists))
    # No users to choose on: the constants are those that a search starts with.
    counts = np.array([21, 20, 6, 5, 1, 0])
    nobody = histories.take(np.zeros(0, np.int64))
    training = item_histories(np.repeat(np.arange(1, 7), counts).tolist())
    encoder = SimpleNamespace(
        catalogue=SimpleNamespace(items=ITEMS_OF_FOUR), exclude_seen=exclude_seen
    )
    counted = choose_counted(training, nobody, encoder, seed=1)
    return rank_table(
        "test",
        histories,
        baskets,
        counts,
        np.array([0, 1, 1, 0]),
        chosen_ranks(counted.chosen, histories, baskets, exclude_seen)
        | dict.fromkeys(("global", "routed", "combiner"), model),
    )


def test_whole_baskets_and_training_frequency_by_hand(baskets_of_four):
    table = compared(baskets_of_four, exclude_seen=False)
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


def test_both_shelves_by_hand(baskets_of_four):
    """Of what they took, the first user had 6; 2, 3, 1 and two unknown items were new."""
    histories = baskets_of_four
    lists = {
        ALL: np.array([[2, 3, 0], [1, 4, 3], [4, 5, 6], [1, 2, 3]]),
        OWN: np.array([[6, 5, 0], [1, 0, 0], [2, 0, 0], [1, 0, 0]]),
        NEW: np.array([[2, 3, 0], [4, 3, 0], [4, 5, 6], [2, 3, 0]]),
    }
    encoder = SimpleNamespace(catalogue=SimpleNamespace(items=ITEMS_OF_FOUR), exclude_seen=False)
    counts = np.array([21, 20, 6, 5, 1, 0])
    training = item_histories(np.repeat(np.arange(1, 7), counts).tolist())
    nobody = histories.take(np.zeros(0, np.int64))
    counted = choose_counted(training, nobody, encoder, seed=1)
    table = pl.concat(
        rank_models(
            split=split,
            histories=histories,
            scorer=SimpleNamespace(shown=lambda *_: (np.array([4, 7, 4, 0]), lists)),
            clusters=np.zeros(4, int),
            queries=dict.fromkeys(("global", "routed", "combiner"), np.zeros((4, 1))),
            encoder=encoder,
            counts=counts,
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


def test_there_are_no_shelves_where_seen_items_are_excluded(baskets_of_four):
    table = compared(baskets_of_four, exclude_seen=True)
    assert not [name for name in table.columns if "_own_" in name or "_new_" in name]
    assert shelves_record(table) is None


def test_a_period_that_is_asked_for_is_judged_as_a_whole(planted):
    """Also where all users took one item in it: what was asked is said."""
    ones = np.ones(USERS, np.int64)
    table = rank_table(
        "test",
        planted.histories,
        Baskets.of(planted.histories, ITEMS, exclude_seen=False),
        np.arange(ITEMS, 0, -1),
        np.zeros(USERS, int),
        dict.fromkeys(("global", "routed", "combiner"), Ranks(ones + 1, ones + 1)),
    )
    comparison = summarise(table, EvaluationConfig(task="next_period", period_days=14))
    assert (comparison.task, comparison.period_days) == ("next_period", 14)
    assert comparison.primary_title == "NDCG@10 of the next 14 days"
    figures = comparison.splits["test"].overall["global"]
    assert figures[comparison.primary] == pytest.approx(1 / np.log2(3))
    item = summarise(table, EvaluationConfig(task="next_item"))
    assert (item.primary, item.primary_title) == ("ndcg@10", "NDCG@10 of the next item")
    assert item.period_days is None
    assert (item.target_actions, item.asked_item) == ([], "next item")
    bought = summarise(table, EvaluationConfig(task="next_item"), target_actions=["purchase"])
    assert bought.target_actions == ["purchase"]
    assert bought.primary_title == "NDCG@10 of the next purchase"
    assert bought.asked_item == "next purchase"
    basket = summarise(table, EvaluationConfig(task="next_basket"), target_actions=["purchase"])
    assert basket.asked_item == "first item of the next purchase"


def test_seen_items_of_a_basket_are_misses_where_they_are_excluded(baskets_of_four):
    table = compared(baskets_of_four, exclude_seen=True)
    assert "own_items_basket_ndcg@10" not in table.columns
    # The first user has 5 and 6, so of {2, 6} only 2 can be listed; 1 is seen by the second user,
    # which moves 3 to the second place.
    two, three = 1 + 1 / np.log2(3), 1 + 1 / np.log2(3) + 0.5
    assert table["popularity_basket_ndcg@10"].to_list() == pytest.approx(
        [1 / np.log2(3) / two, 1 / np.log2(3) / three, 1.0]
    )


def test_bands_of_training_frequency():
    frequency = [500, 21, 20, 6, 5, 1, 0]
    ones = np.ones(len(frequency), np.int64)
    columns = {
        f"{m}_{name}": pl.lit(None, pl.Float64)
        for m in IN_RESULTS
        for name in basket_metric_names()
    }
    table = pl.DataFrame(
        {
            "split": ["test"] * len(frequency),
            "cluster": ones,
            "history_length": ["50+"] * len(frequency),
            "held_out": ones,
            "target_frequency": frequency,
            **dict.fromkeys(IN_RESULTS, ones),
        }
    ).with_columns(**columns)
    found = summarise(table, EvaluationConfig()).splits["test"].by_target_frequency
    assert tuple(found) == FREQUENCY_BANDS == ("0", "1-5", "6-20", "21+")
    assert [part.users for part in found.values()] == [1, 2, 2, 2]


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


def test_the_order_inside_a_basket_changes_no_figure_of_the_primary_measure(baskets_of_four):
    order = np.array([2, 0, 1, 5, 4, 3, 6])
    shuffled = dataclasses.replace(baskets_of_four, targets=baskets_of_four.targets[order])
    table, other = (compared(h, exclude_seen=False) for h in (baskets_of_four, shuffled))
    assert table["global"].to_list() == other["global"].to_list()  # ranks are given here
    for model in IN_RESULTS:
        if f"{model}_basket_ndcg@10" in table.columns:
            assert primary_values(table, model).tolist() == primary_values(other, model).tolist()
    assert table["target_frequency"].to_list() == other["target_frequency"].to_list()


def test_strengths_are_fitted_on_whole_baskets():
    """Only the second item of a basket says which specialist is right."""
    rng = np.random.default_rng(5)
    catalogue = Catalogue(items=ITEMS, categories=0, own_items=False, width=WIDTH)
    catalogue.build()
    table = rng.normal(size=(ITEMS + 2, WIDTH)).astype(np.float32)
    catalogue.item_embedding.embeddings.assign(table)
    # Every basket: an item that no model can know, then the one that the specialist knows.
    second = rng.integers(1, ITEMS + 1, USERS)
    targets = np.stack([np.full(USERS, ITEMS + 1), second], axis=1).astype(np.int32)
    histories = Histories(
        {name: np.ones(USERS, np.int32) for name in features.EVENT_COLUMNS},
        splits=np.arange(USERS + 1),
        targets=targets.ravel(),
        target_splits=np.arange(USERS + 1) * 2,
        first_target=np.ones(USERS, np.int64),
    )
    noise = rng.normal(size=(2, USERS, WIDTH)).astype(np.float32)
    queries = noise + np.stack([np.zeros_like(table[second]), 2 * table[second]])
    baskets = Baskets.of(histories, ITEMS, exclude_seen=False)

    def values_of(combined):
        lists = top_list(catalogue.logits(tf.constant(combined)), 10).numpy()
        return basket_values(baskets.ranks_in(lists), baskets.splits, "basket_ndcg@10")

    result = fit_strengths(
        queries=queries.astype(np.float32),
        membership=np.ones((USERS, 1), np.float32),
        histories=histories,
        catalogue=catalogue,
        own_events=0,
        values_of=values_of,
        config=CombinerConfig(),
        seed=1,
    )
    assert result.kept
    assert result.strengths[0] > 0.5
