"""Specialists and controls are scored by their own members, as if the whole of them were run."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.cluster_combiner.controls import Controls, score_controls
from components.cluster_combiner.scored import score
from tests.helpers.fine_tuning import LONGEST, fine_tuned, in_part
from tests.helpers.raw_histories import write_records
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.embedding_space import EmbeddingSpace
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.encoder_inputs import cut_inputs
from trainer.data.histories import Histories, read_histories
from trainer.data.item_features import ItemFeatures
from trainer.data.windows import padded_columns
from trainer.encoder.build_encoder import build_encoder
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower
from trainer.evaluation.scorer import Scorer
from trainer.inference.own_members import OwnMembers
from trainer.inference.stacked_towers import StackedTowers

pytestmark = pytest.mark.slow

MEMBERS, WIDTH = 3, 8


@pytest.fixture(scope="module")
def shop(tiny_shop, tmp_path_factory):
    """An encoder of random weights, and a split of histories of 1 to 12 events."""
    keras.utils.set_random_seed(5)
    facts = DataFacts.of(read_histories(tiny_shop.validation, tiny_shop.graph), tiny_shop.graph)
    config = EncoderConfig(width=WIDTH, members=MEMBERS, layers=1, feedforward=16, max_events=8)
    encoder = build_encoder(
        facts, config, ServingConfig(), ItemFeatures.none(facts.items, "no texts")
    )
    rng = np.random.default_rng(0)
    for weight in [*encoder.catalogue.trainable_weights, *encoder.tower.trainable_weights]:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    records = [in_part(record, user) for user, record in enumerate(tiny_shop.raw)]
    file = write_records(tmp_path_factory.mktemp("split") / "validation.gz", records)
    return SimpleNamespace(encoder=encoder, graph=tiny_shop.graph, files=[file])


def whole_queries(encoder: BehaviorEncoder, histories: Histories) -> np.ndarray:
    """All members run over all histories at once."""
    columns = padded_columns(histories.columns)
    starts, ends = (tf.constant(s, tf.int32) for s in (histories.splits[:-1], histories.splits[1:]))
    return encoder(cut_inputs(columns, starts, ends, encoder.tower.max_events, None)).numpy()


def test_own_members_give_the_queries_of_the_whole_specialist(shop, monkeypatch):
    clusters = [fine_tuned(shop.encoder, own, 1) for own in ([0], [])]
    random = [fine_tuned(shop.encoder, own, 2) for own in ([], range(MEMBERS))]
    continued = fine_tuned(shop.encoder, [0, 2], 3)
    # The pooled representation takes the global encoder's queries from the states of all events.
    prototypes = np.random.default_rng(0).normal(size=(2, 1, MEMBERS * WIDTH))
    rule = NearestPrototype.of_groups(prototypes, 0.7)
    geometry = ClusterGeometry(EmbeddingSpace(True), rule, "mean_states")

    ran, towers_of = [], {}
    below_last, stack, run = EventTower._below_last, StackedTowers.__init__, StackedTowers.__call__

    def noted(tower, *arguments):
        ran.append(tower)
        return below_last(tower, *arguments)

    def noted_stack(stacked, towers):
        towers_of[id(stacked)] = list(towers)
        stack(stacked, towers)

    def noted_run(stacked, *arguments):
        ran.extend(towers_of[id(stacked)])
        return run(stacked, *arguments)

    def own(encoder):
        return OwnMembers(encoder.tower, shop.encoder.tower)

    monkeypatch.setattr(EventTower, "_below_last", noted)
    monkeypatch.setattr(StackedTowers, "__init__", noted_stack)
    monkeypatch.setattr(StackedTowers, "__call__", noted_run)
    scorer = Scorer(shop.encoder, read_histories(shop.files, shop.graph))
    scored = score(scorer, [own(e) for e in clusters], geometry, per_user=2)
    controls = Controls([own(e) for e in random], own(continued))
    seen = score_controls(shop.files, controls, scored, seed=1)
    monkeypatch.undo()

    changed = [(clusters[0], [0]), (random[1], range(MEMBERS)), (continued, [0, 2])]
    expected = {id(encoder.tower.members[m]) for encoder, own in changed for m in own}
    expected |= {id(tower) for tower in shop.encoder.tower.members}
    assert {id(tower) for tower in ran} == expected

    assert len(np.unique(np.diff(scored.histories.splits))) == LONGEST
    whole = [whole_queries(e, scored.histories) for e in (shop.encoder, *clusters)]
    np.testing.assert_allclose(scored.queries, whole, rtol=1e-5, atol=1e-5)
    whole = [whole_queries(e, scored.histories) for e in (shop.encoder, *random)]
    np.testing.assert_allclose(seen.random.queries, whole, rtol=1e-5, atol=1e-5)
    whole = whole_queries(continued, scored.histories)
    np.testing.assert_allclose(seen.continued, whole, rtol=1e-5, atol=1e-5)
    for queries in (scored.queries[1], seen.random.queries[2], seen.continued):
        assert np.abs(queries - scored.queries[0]).max() > 0.1
