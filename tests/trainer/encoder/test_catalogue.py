"""The places of the item table's weights are those of encoders that were saved before."""

from __future__ import annotations

from typing import Any

import h5py
import pytest

import trainer  # noqa: F401  (Keras switches first)
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower
from trainer.encoder.item_neighbours import NEIGHBOURS
from trainer.encoder.repeat_curves import BINS, INPUTS, ITEM_REPEATS

ITEMS, CATEGORIES, WIDTH, FEATURES, PERIODS = 10, 4, 8, 5, 3
STORED = {
    "vars/0": (ITEMS + 1,),  # bias
    "vars/1": (),  # weight of the trend
    "vars/2": (ITEMS + 2, FEATURES),
    "vars/3": (PERIODS + 1, ITEMS + 1, 3),  # statistics
    "vars/4": (PERIODS + 1,),  # starts of the periods
    "vars/5": (ITEMS + 2,),  # categories
    "vars/6": (),  # sharpness
    "item_embedding/vars/0": (ITEMS + 2, WIDTH),
    "category_embedding/vars/0": (CATEGORIES, WIDTH),
    "feature_map/vars/0": (FEATURES, WIDTH - 2),
    "neighbours/vars/0": (ITEMS + 1, NEIGHBOURS),
    "neighbours/vars/1": (ITEMS + 1, NEIGHBOURS),
    "neighbours/vars/2": (),  # weight
    "neighbours/vars/3": (),  # floor
    "repeat_bonus/vars/0": (ITEMS + 1,),
    "repeat_bonus/vars/1": (),
    "repeat_bonus/vars/2": (),
    "repeat_bonus/curves/vars/0": (INPUTS, BINS + 1),
    "repeat_bonus/curves/vars/1": (INPUTS, BINS),
    "repeat_bonus/curves/vars/2": (),
    "repeat_bonus/curves/vars/3": (ITEMS + 1, ITEM_REPEATS),
    "repeat_bonus/own/vars/0": (INPUTS - ITEM_REPEATS, 32),
    "repeat_bonus/own/vars/1": (32,),
    "repeat_bonus/query/vars/0": (WIDTH, 32),
    "repeat_bonus/out/vars/0": (32, 1),
    "repeat_bonus/out/vars/1": (1,),
}


@pytest.fixture
def encoder():
    catalogue = Catalogue(
        ITEMS, CATEGORIES, True, WIDTH, feature_width=FEATURES, features_from=2, periods=PERIODS
    )
    size: dict[str, Any] = {
        "width": WIDTH, "layers": 1, "heads": 2, "feedforward": 8, "max_events": 4,
    }  # fmt: skip
    tower = EventTower(actions=2, use_time=True, use_price=True, dropout=0.1, **size)
    made = BehaviorEncoder(catalogue, tower, exclude_seen=False, own_events=4)
    made.build()
    return made


def test_weights_are_stored_where_they_always_were(encoder, tmp_path):
    encoder.save_weights(tmp_path / "encoder.weights.h5")
    stored = {}

    def note(name, entry):
        if isinstance(entry, h5py.Dataset):
            stored[name] = entry.shape

    with h5py.File(tmp_path / "encoder.weights.h5") as file:
        file["catalogue"].visititems(note)
    assert stored == STORED


def test_the_configuration_is_that_of_saved_encoders(encoder):
    names = {"items", "categories", "own_items", "width", "feature_width", "features_from"}
    assert set(encoder.catalogue.get_config()) == {
        *names,
        "periods",
        "blends",
        "asks",
        "neighbours",
        "name",
        "trainable",
        "dtype",
    }
    assert type(encoder.catalogue).__name__ == "Catalogue"
