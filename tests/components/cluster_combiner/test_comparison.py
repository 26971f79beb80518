"""Every compared model on the same users: who is ranked, in which slices, and what is asked."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from components.cluster_combiner.comparison import (
    FREQUENCY_BANDS,
    Ranks,
    primary_values,
    rank_models,
    rank_table,
    serve_global,
    summarise,
)
from components.cluster_combiner.fitting import combine
from components.cluster_combiner.scored import Scored
from tests.helpers.planted_specialists import ITEMS, USERS, planted_specialists
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.compared_models import IN_RESULTS
from trainer.evaluation.metrics import basket_metric_names, user_values
from trainer.evaluation_config import EvaluationConfig
from trainer.shelves import ALL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def planted():
    return planted_specialists()


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


def test_refused_specialists_leave_the_global_encoder_in_every_figure():
    table = pl.DataFrame(
        {"global": [1, 2], "global_basket_ndcg@10": [0.5, 0.1], "routed": [3, 4]}
    ).with_columns(combiner=pl.lit(9), **{"combiner_basket_ndcg@10": pl.lit(0.0)})
    served = serve_global(table)
    assert served["combiner"].to_list() == [1, 2]
    assert served["routed"].to_list() == [3, 4]
    assert served["combiner_basket_ndcg@10"].to_list() == [0.5, 0.1]


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
