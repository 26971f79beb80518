"""The load benchmark's catalogues are what it says, and its figures those of the calls."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from tests.helpers.repository import BENCHMARKS

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in ("serving", "enlarged_catalogue", "hostile_requests"):
        sys.modules.pop(name, None)


def test_trained_items_keep_their_scores_in_a_larger_catalogue(encoder, events):
    from enlarged_catalogue import enlarged

    large = enlarged(encoder, 60, seed=1)
    assert large.catalogue.items == 60
    assert len(large.new_items) == 48
    before = encoder.catalogue.logits(encoder(events)).numpy()[:, 1:]
    after = large.catalogue.logits(large(events)).numpy()[:, 1:]
    np.testing.assert_allclose(after[:, :12], before, rtol=1e-4, atol=1e-5)
    assert 0.3 < after[:, 12:].std() / before.std() < 3
    assert enlarged(encoder, 5, seed=1).catalogue.items == 12


def test_fewer_members_are_the_first_ones(encoder, events):
    from enlarged_catalogue import with_members

    narrow = with_members(encoder, 2)
    assert narrow.members == 2
    # Each part of the query is divided by the number of members.
    np.testing.assert_allclose(
        narrow(events).numpy() * 2, encoder(events).numpy()[:, :16] * 3, rtol=1e-4, atol=1e-5
    )
    assert with_members(encoder, 3) is encoder


def test_figures_are_those_of_the_calls():
    import tensorflow as tf
    from serving import measure

    sides = {"slow": lambda batch: time.sleep(0.02), "fast": lambda batch: time.sleep(0.001)}
    figures = measure(sides, [tf.constant([b"a", b"b"])], rounds=2, seconds=0.1)
    assert 20 <= figures["slow"]["p50_ms"] < 40
    assert figures["slow"]["p50_ms"] <= figures["slow"]["p99_ms"]
    assert 50 < figures["slow"]["histories_per_second"] <= 100
    assert figures["fast"]["requests"] > figures["slow"]["requests"]
