"""Clients that sent milliseconds had them taken for seconds: the served model now tells the unit by
each number's size, by the same bounds as the ingestion.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import tensorflow as tf

from components.behavior_example_gen.timestamps import epoch_seconds
from tests.helpers.raw_histories import raw_history
from tests.helpers.some_signatures import with_signatures
from tests.helpers.tiny_served_model import tiny_encoder
from trainer.config import ServingConfig
from trainer.epoch_units import EPOCH_UNITS
from trainer.preprocessing import _epoch_seconds
from trainer.serving.export import save_recommender
from trainer.serving.recommender import Recommender

pytestmark = pytest.mark.slow

IDS = ["item,003", "item,011", "item,004"]
SECONDS = [1_600_000_000, 1_600_003_600, 1_600_090_000]
UNITS = {"milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


@pytest.fixture(scope="module")
def signatures(tiny_shop, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("served"))
    encoder = tiny_encoder(tiny_shop, ServingConfig(exclude_seen=False))
    recommender = Recommender(tiny_shop.graph, encoder, top_k=5)
    save_recommender(with_signatures(recommender, "serving_default", "recommend"), folder, {})
    loaded = tf.saved_model.load(folder)
    yield loaded.signatures  # noqa: PT022 (the model must stay alive as long)


def recommended(signatures, times):
    return signatures["recommend"](
        item_ids=tf.constant([IDS]),
        actions=tf.constant([["buy"] * len(IDS)]),
        timestamps=tf.constant([times], tf.int64),
    )


def assert_same(one, other):
    assert one["item_ids"].numpy().tolist() == other["item_ids"].numpy().tolist()
    np.testing.assert_array_equal(one["scores"].numpy(), other["scores"].numpy())


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_the_same_history_gets_the_same_list(signatures, unit):
    finer = [moment * unit for moment in SECONDS]
    assert_same(recommended(signatures, SECONDS), recommended(signatures, finer))
    one, other = (
        signatures["serving_default"](
            examples=tf.constant([raw_history(item_ids=IDS, timestamps=times)])
        )
        for times in (SECONDS, finer)
    )
    assert_same(one, other)


def test_each_event_by_itself(signatures):
    mixed = [SECONDS[0], SECONDS[1] * 1000, SECONDS[2] * 10**9]
    assert_same(recommended(signatures, SECONDS), recommended(signatures, mixed))
    given, others = (recommended(signatures, times)["scores"] for times in (SECONDS, [0, 1, 2]))
    assert (given.numpy() != others.numpy()).any()


def test_the_model_and_the_ingestion_read_alike():
    bounds = [bound for bound, _ in EPOCH_UNITS]
    times = [0, 1, *(b + step for b in bounds for step in (-1, 0, 1)), 2**63 - 1]
    expected = epoch_seconds(pl.Series(times, dtype=pl.Int64)).to_list()
    assert _epoch_seconds(tf.constant(times, tf.int64)).numpy().tolist() == expected
    assert _epoch_seconds(tf.constant([-5, -(2**63)], tf.int64)).numpy().tolist() == [-5, -(2**63)]
