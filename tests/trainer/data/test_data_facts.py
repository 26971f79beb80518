"""What the data decides about the model."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from trainer.config import EncoderConfig, ServingConfig
from trainer.data import features
from trainer.data.data_facts import DataFacts
from trainer.data.histories import Histories
from trainer.data.item_features import ItemFeatures
from trainer.encoder.build_encoder import build_encoder

GRAPH = SimpleNamespace(vocabulary_size_by_name={"items": 4, "actions": 1}.get)


def facts(item, time, splits=(0, 3, 6), **columns):
    n = len(item)
    base = {name: np.zeros(n, np.int32) for name in features.EVENT_COLUMNS}
    base |= {"item": np.array(item, np.int32), "time": np.array(time, np.int64)}
    base |= {name: np.array(column) for name, column in columns.items()}
    nothing = np.zeros(len(splits), np.int64)
    histories = Histories(base, np.array(splits), np.zeros(0, np.int32), nothing, nothing[:-1])
    return DataFacts.of(histories, GRAPH)


def test_repeats_decide_what_is_recommended():
    once = facts([1, 2, 3, 4, 3, 2], range(6))
    again = facts([1, 1, 2, 3, 3, 3], range(6))
    assert once.repeat_share == 0
    assert once.exclude_seen(ServingConfig())
    assert again.repeat_share == 0.75
    assert not again.exclude_seen(ServingConfig())
    assert again.scores_own_items(EncoderConfig(), ServingConfig())
    assert not again.scores_own_items(EncoderConfig(), ServingConfig(exclude_seen=True))
    why = again.derived(EncoderConfig(), ServingConfig(), ItemFeatures.none(4, "no texts"))[
        "exclude_seen"
    ]["why"]
    assert "75.0%" in why
    assert "not below 5%" in why


@pytest.mark.parametrize(
    ("time", "expected"), [([0, 1, 2, 0, 1, 2], False), ([0, 1, 60, 0, 1, 2], True)]
)
def test_a_count_of_events_is_not_a_time(time, expected):
    assert facts([1, 2, 3, 1, 2, 3], time).has_time is expected


def test_items_take_the_category_of_their_events():
    found = facts([1, 2, 1, 3, 5, 2], range(6), category=[0, 2, 1, 0, 2, 2])
    # Item 5 is out of vocabulary and has none.
    assert found.item_categories.tolist() == [0, 1, 2, 0, 0, 0]
    assert found.categories == 3
    assert found.item_counts.tolist() == [0, 2, 2, 1, 0]


def test_trends_need_times_and_can_be_switched_off():
    day = 86_400
    timed = facts([1, 2, 1, 3, 1, 2], np.array([0, 20, 52, 5, 9, 10]) * day)
    ordered = facts([1, 2, 1, 3, 1, 2], [0, 1, 2, 0, 1, 2])
    for found, config, periods, why in (
        (timed, EncoderConfig(), 26, "26 periods of 2 days"),
        (timed, EncoderConfig(trends=False), 0, "set in the configuration"),
        (ordered, EncoderConfig(), 0, "the log has order only"),
    ):
        assert found.statistics(config).periods == periods
        nothing = ItemFeatures.none(4, "no texts")
        trends = found.derived(config, ServingConfig(), nothing)["trends"]
        assert trends["value"] == (periods > 0)
        assert why in trends["why"]
        encoder = build_encoder(found, config, ServingConfig(), nothing)
        assert encoder.catalogue.periods == periods


@pytest.mark.parametrize(
    ("items", "setting", "expected"),
    [(20_000, "auto", 4), (20_001, "auto", 2), (20_001, 3, 3), (4, 1, 1)],
)
def test_a_large_catalogue_has_fewer_members(items, setting, expected):
    found = dataclasses.replace(facts([1, 2, 3], range(3), (0, 3)), items=items)
    config = EncoderConfig(members=setting)
    assert found.members(config) == expected
    derived = found.derived(config, ServingConfig(), ItemFeatures.none(4, "no texts"))
    assert derived["members"]["value"] == expected


@pytest.mark.parametrize(
    ("source", "members", "plain"),
    [
        *(("texts", 1, 0), ("texts", 2, 1), ("texts", 3, 1), ("texts", 4, 2)),
        *(("co-occurrence", 2, 1), ("co-occurrence", 4, 3)),
    ],
)
def test_some_members_learn_from_nothing(source, members, plain):
    nothing = ItemFeatures.none(4, "no texts")
    assert dataclasses.replace(nothing, source=source).plain_members(members) == plain
