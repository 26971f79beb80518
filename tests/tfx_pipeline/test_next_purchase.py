"""On a funnel that is planted, a model that is told what is asked for finds the next purchase."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from tests.helpers.behavior_example_gen_runs import ingest
from tests.helpers.raw_histories import transform_graph
from tfx_pipeline.simulation import SimulationConfig, simulate
from trainer.data.encoder_data import EncoderData
from trainer.data.histories import Histories, read_histories
from trainer.evaluation.scorer import Scorer
from trainer.training.encoder_fit import EncoderTrainerConfig, fit_encoder

pytestmark = pytest.mark.slow

TINY = {
    "encoder": {
        "width": 16, "members": 1, "layers": 1, "feedforward": 32, "max_events": 12,
        "own_events": 24,
    },
    "training": {
        "epochs": 4, "patience": 4, "learning_rate": 1e-2, "samples_per_epoch": 15_000,
    },
}  # fmt: skip


def funnel(folder: Path, seed: int = 1) -> SimpleNamespace:
    """A simulated funnel, ingested to ask for purchases: files by split, and the graph."""
    log = simulate(
        SimulationConfig(
            users=1_000, items=150, categories=10, clusters=2, events_per_user=12.0,
            views=3.0, carts=0.4, purchases=0.5, seed=seed,
        )
    )  # fmt: skip
    log.write(folder / "log")
    ingest(folder, folder / "log/events.csv", target_actions=["purchase"])
    files = {
        split: [str(path) for path in (folder / f"out/examples/1/Split-{split}").iterdir()]
        for split in ("train", "validation", "test")
    }
    return SimpleNamespace(
        folder=folder, files=files, graph=transform_graph(folder, *files["train"])
    )


def trained(shop: SimpleNamespace, target_actions: list[str]) -> Any:
    """A tiny encoder; stopped, with and without target actions, by purchases of validation."""
    config = EncoderTrainerConfig.from_dict({**TINY, "target_actions": target_actions})
    keras.utils.set_random_seed(1)
    train, validation = shop.files["train"], shop.files["validation"]
    data = EncoderData.read(
        shop.graph, train, validation, None, config.encoder, 1, config.target_actions
    )
    folder = shop.folder / ("told" if target_actions else "plain")
    return fit_encoder(
        data, config, seed=1, checkpoints=folder / "checkpoints", tensorboard=folder / "board"
    ).encoder


def purchases(encoder: Any, histories: Histories) -> float:
    """NDCG@10 of the held-out purchases."""
    scorer = Scorer(encoder, histories)
    return float(np.nanmean(scorer.values(scorer.queries())))


def test_a_model_that_is_told_beats_one_that_is_not(tmp_path: Path) -> None:
    shop = funnel(tmp_path)
    test = read_histories(shop.files["test"], shop.graph)
    assert len(test) > 150
    plain, told = (purchases(trained(shop, actions), test) for actions in ([], ["purchase"]))
    assert plain > 0.5  # it has learnt: whatever is viewed or bought next is often an own item
    # The curves of own items tell carts from views, asked or not; most that is left is the asking.
    assert told > 0.95
    assert told > 1.15 * plain
