"""The combination leaves the global encoder only for a gain."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

ITEMS, WIDTH, USERS = 60, 8, 400


@pytest.fixture(scope="module")
def planted():
    """Two clusters; specialists know their own cluster's next items, the global encoder less."""
    import tensorflow as tf

    from trainer import features
    from trainer.catalogue import Catalogue
    from trainer.input import Histories
    from trainer.ranking import target_rank

    rng = np.random.default_rng(0)
    catalogue = Catalogue(items=ITEMS, categories=0, own_items=False, width=WIDTH)
    catalogue.build()
    table = rng.normal(size=(ITEMS + 2, WIDTH)).astype(np.float32)
    catalogue.item_embedding.embeddings.assign(table)
    targets = rng.integers(1, ITEMS + 1, USERS).astype(np.int32)
    cluster = np.arange(USERS) % 2
    membership = np.where(cluster[:, None] == [[0, 1]], 0.9, 0.1).astype(np.float32)
    histories = Histories(
        {name: np.ones(USERS, np.int32) for name in features.EVENT_FEATURES},
        splits=np.arange(USERS + 1),
        targets=targets,
        target_splits=np.arange(USERS + 1),
        first_target=np.ones(USERS, np.int64),
    )

    def noise(scale):
        return rng.normal(0, scale, (USERS, WIDTH)).astype(np.float32)

    def rank_of(queries):
        return target_rank(catalogue.logits(tf.constant(queries)), tf.constant(targets)).numpy()

    wanted = table[targets]
    knows = [np.where(cluster[:, None] == k, wanted, 0) + noise(1.0) for k in (0, 1)]
    return SimpleNamespace(
        catalogue=catalogue,
        histories=histories,
        membership=membership,
        rank_of=rank_of,
        useful=np.stack([0.3 * wanted + noise(1.0), *knows]).astype(np.float32),
        useless=np.stack([wanted + noise(0.3), noise(2.0), noise(2.0)]).astype(np.float32),
    )


def fit(planted, queries):
    from components.cluster_combiner.config import CombinerConfig
    from components.cluster_combiner.fitting import fit_strengths

    return fit_strengths(
        queries, planted.membership, planted.histories, planted.catalogue, 0, planted.rank_of,
        CombinerConfig(epochs=30, learning_rate=0.1), seed=1,
    )  # fmt: skip


def test_useful_specialists_get_weight(planted):
    result = fit(planted, planted.useful)
    assert result.kept and (result.strengths > 0.3).all(), result
    assert "specialists are used" in result.reason


def test_useless_specialists_leave_the_global_encoder_alone(planted):
    result = fit(planted, planted.useless)
    assert not result.kept and (result.strengths == 0).all(), result
    np.testing.assert_array_equal(result.crossfit_ranks, planted.rank_of(planted.useless[0]))


def test_strength_zero_is_the_global_encoder(planted):
    from components.cluster_combiner.fitting import combine

    combined = combine(planted.useful, planted.membership, np.zeros(2))
    np.testing.assert_allclose(combined, planted.useful[0], rtol=1e-6)


def test_weights_sum_to_one():
    import tensorflow as tf

    from trainer.mixture import mixture_weights

    weights = mixture_weights(tf.constant([[0.2, 0.8], [1.0, 0.0]]), tf.constant([0.5, 1.0]))
    np.testing.assert_allclose(weights, [[0.1, 0.1, 0.8], [0.5, 0.5, 0.0]], atol=1e-6)


def test_comparison_counts_users_by_slice(planted):
    from components.cluster_combiner.comparison import rank_table, summarise

    ones = np.ones(USERS, np.int64)
    table = rank_table(
        "test",
        planted.histories,
        planted.histories.columns["item"],
        np.arange(ITEMS, 0, -1),
        np.arange(USERS) % 2,
        {"global": ones, "routed": ones + 1, "combiner": ones + 20},
        exclude_seen=False,
    )
    assert isinstance(table, pl.DataFrame) and table.height == USERS
    split = summarise(table)["splits"]["test"]
    assert split["overall"]["global"]["ndcg@10"] == 1.0
    assert split["overall"]["routed"]["ndcg@10"] == pytest.approx(1 / np.log2(3))
    assert split["overall"]["combiner"]["hr@20"] == 0.0
    assert split["by_cluster"]["1"]["users"] == USERS // 2
    assert split["by_history_length"]["1-4"]["users"] == USERS
