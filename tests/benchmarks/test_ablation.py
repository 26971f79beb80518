"""Ablations on a log with baskets, and what their command line says."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.raw_histories import DAY, raw_history, transform_graph, write_records
from tests.helpers.repository import BENCHMARKS
from trainer.data.encoder_data import EncoderData
from trainer.training.encoder_fit import EncoderTrainerConfig

pytestmark = pytest.mark.slow


@pytest.fixture
def ablation(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import ablation

    yield ablation
    sys.modules.pop("ablation")


class BasketShop:
    """What `ablation.Run` finds in a run directory: 40 users who take tea and its milk."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(0)
        histories = []
        for user in range(40):
            baskets = [[f"tea{kind}", f"milk{kind}"] for kind in rng.integers(6, size=7)]
            history = {
                "user_id": [f"u{user}"],
                "history_length": ["10-19"],
                "item_ids": [item for basket in baskets[:-1] for item in basket],
                "actions": ["buy"] * 12,
                "timestamps": np.repeat(np.arange(6) * DAY, 2).tolist(),
            }
            histories.append((history, baskets[-1]))
        train = [raw_history(**history, first_target=[0]) for history, _ in histories]
        held_out = [
            raw_history(**history, first_target=[12], target_item_ids=basket)
            for history, basket in histories
        ]
        self.train = write_records(folder / "train.gz", train)
        self.validation = write_records(folder / "validation.gz", held_out)
        self.graph = transform_graph(folder, self.train)

    def data(self, variant, config, seed):
        return EncoderData.read(
            self.graph, [self.train], [self.validation], None, config.encoder, seed
        )


def test_baskets_are_judged_where_items_are_taken_together(ablation, tmp_path):
    config = EncoderTrainerConfig().updated(
        {
            "encoder.width": 8,
            "encoder.members": 1,
            "encoder.layers": 1,
            "encoder.feedforward": 16,
            "training.epochs": 2,
            "training.batch_size": 32,
        }
    )
    figures = ablation.measure(BasketShop(tmp_path), ablation.Variant(), config, seed=1)
    assert figures["planned_epochs"] == 2
    # Ten of twelve items are listed, so that nearly every basket is found.
    assert 0.5 < figures["basket_recall@10"] <= 1
    assert 0.3 < figures["basket_ndcg@10"] <= 1


def test_a_run_that_asks_for_purchases_is_trained_so(ablation):
    run = object.__new__(ablation.Run)
    settings = EncoderTrainerConfig().model_dump(mode="json", exclude={"target_actions"})
    run.config = {**settings, "data": {"target_actions": ["purchase"]}}
    changed = run.settings({"encoder.members": 2})
    assert changed.target_actions == ("purchase",)
    assert changed.encoder.members == 2
    # Runs from before the setting.
    run.config = {**settings, "data": {}}
    assert run.settings({}) == EncoderTrainerConfig()


def test_settings_are_read_as_json_or_text(ablation):
    assert ablation.changes_of(["encoder.members=2", "encoder.own_items=false", "a.b=auto"]) == {
        "encoder.members": 2,
        "encoder.own_items": False,
        "a.b": "auto",
    }
    with pytest.raises(SystemExit, match="write KEY=VALUE"):
        ablation.changes_of(["encoder.members"])
