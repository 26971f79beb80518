"""The combination leaves the global encoder only for a gain."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.cluster_combiner import fitting
from components.cluster_combiner.config import CombinerConfig
from components.cluster_combiner.fitting import combine, fit_strengths
from tests.helpers.item_histories import histories as item_histories
from tests.helpers.planted_specialists import ITEMS, USERS, WIDTH, planted_specialists
from trainer.data import features
from trainer.data.histories import Histories
from trainer.encoder.catalogue import Catalogue
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.metrics import basket_values, user_values
from trainer.evaluation.ranking import top_list

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def planted():
    return planted_specialists()


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


@pytest.fixture(scope="module")
def used(planted):
    """Fitted with useful specialists."""
    return fit(planted, planted.useful)


def test_useful_specialists_get_weight(used):
    assert used.kept
    assert (used.strengths > 0.3).all(), used
    assert "specialists are used" in used.reason


def test_useless_specialists_leave_the_global_encoder_alone(planted):
    result = fit(planted, planted.useless)
    assert not result.kept
    assert (result.strengths == 0).all(), result
    np.testing.assert_array_equal(result.crossfit_queries, planted.useless[0])


def test_specialists_that_are_refused_get_no_weight(used):
    refused = used.refused("a random partition does as well")
    assert not refused.kept
    assert (refused.strengths == 0).all()
    assert refused.fitted.any()
    assert "but a random partition does as well" in refused.reason
    assert "specialists are used" not in refused.reason


def test_specialists_that_were_refused_are_not_fitted(planted, monkeypatch):
    monkeypatch.setattr(fitting, "full_softmax_loss", None)  # No loss may be computed.
    result = fit(planted, np.repeat(planted.useful[:1], 3, axis=0))
    assert not result.kept
    assert (result.fitted == 0).all()
    np.testing.assert_array_equal(result.crossfit_queries, planted.useful[0])


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


def test_strength_zero_is_the_global_encoder(planted):
    combined = combine(planted.useful, planted.membership, np.zeros(2))
    np.testing.assert_allclose(combined, planted.useful[0], rtol=1e-6)
