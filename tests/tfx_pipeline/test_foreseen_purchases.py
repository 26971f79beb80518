"""On a planted funnel the behaviour head foresees purchases; where actions are chance it is off."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import keras
import numpy as np
import polars as pl
import pytest
from tensorflow_transform import TFTransformOutput

from components.cluster_combiner.behavior_head import BehaviorFit, fit_behavior_head
from tests.helpers.behavior_example_gen_runs import ingest
from tests.helpers.raw_histories import transform_graph
from tests.tfx_pipeline.test_next_purchase import TINY
from tfx_pipeline.simulation import SimulationConfig, simulate
from trainer.behavior_config import BehaviorConfig
from trainer.data.encoder_data import EncoderData
from trainer.data.histories import read_histories
from trainer.encoder.encoder import BehaviorEncoder
from trainer.training.encoder_fit import EncoderTrainerConfig, fit_encoder

pytestmark = pytest.mark.slow

ASKED = BehaviorConfig(actions=("purchase",), days=7)


def simulated(folder: Path, shuffled: bool) -> pl.DataFrame:
    """A funnel; or the same log with its actions dealt anew among all events."""
    log = simulate(
        SimulationConfig(
            users=600, items=150, categories=10, clusters=2, events_per_user=12.0,
            views=3.0, carts=0.4, purchases=0.5, seed=1,
        )
    )  # fmt: skip
    log.write(folder / "log")
    events = pl.read_csv(folder / "log/events.csv")
    if shuffled:
        events = events.with_columns(pl.col("action").shuffle(seed=1))
    return events


class Ingested(NamedTuple):
    """A log as BehaviorExampleGen leaves it."""

    train: list[str]
    validation: list[str]
    later: dict[str, list[str]]

    @classmethod
    def of(cls, folder: Path, shuffled: bool) -> Ingested:
        """The simulated log, ingested into a folder."""
        simulated(folder, shuffled).write_csv(folder / "events.csv")
        ingest(folder, folder / "events.csv", behavior_actions=ASKED.actions)

        def files(output: str, split: str) -> list[str]:
            return [str(path) for path in (folder / f"out/{output}/1/Split-{split}").iterdir()]

        later = {split: files("later_events", split) for split in ("validation", "test")}
        return cls(files("examples", "train"), files("examples", "validation"), later)

    def head(self, graph: TFTransformOutput, encoder: BehaviorEncoder) -> BehaviorFit:
        """The head over an encoder."""
        inputs: Any = SimpleNamespace(
            encoder=encoder, graph=graph, behavior=ASKED, later=self.later, seed=1
        )
        return fit_behavior_head(inputs, read_histories(self.train, graph))


@pytest.fixture(scope="module")
def funnel(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A funnel, its Transform graph, and a tiny encoder that was trained for one epoch."""
    folder = tmp_path_factory.mktemp("funnel")
    log = Ingested.of(folder, shuffled=False)
    graph = transform_graph(folder, *log.train)
    settings: dict[str, Any] = {**TINY, "training": {**TINY["training"], "epochs": 1}}
    config = EncoderTrainerConfig.from_dict(settings)
    keras.utils.set_random_seed(1)
    data = EncoderData.read(graph, log.train, log.validation, None, config.encoder, 1)
    encoder = fit_encoder(
        data, config, seed=1, checkpoints=folder / "checkpoints", tensorboard=folder / "board"
    ).encoder
    return SimpleNamespace(log=log, graph=graph, encoder=encoder)


def test_a_funnel_is_foreseen(funnel: SimpleNamespace) -> None:
    fit = funnel.log.head(funnel.graph, funnel.encoder)
    assert fit.head is not None
    assert fit.record is not None
    following, soon = fit.record.figures["buys_next"], fit.record.figures["buys_within"]
    assert following.served
    assert following.low is not None
    # A purchase comes after a cart, and soon.
    assert following.low > 0.8
    for figures in (following, soon):
        assert figures.predicted == pytest.approx(figures.observed, abs=0.03)
    # Each group of moments has about as many purchases as was said, but for chance.
    for group in following.bins:
        chance = 3 * np.sqrt(max(group.predicted, 0.01) / group.moments)
        assert abs(group.observed - group.predicted) < 0.05 + chance


def test_chance_is_not(funnel: SimpleNamespace, tmp_path: Path) -> None:
    # The same items and actions as often, so that graph and encoder fit.
    fit = Ingested.of(tmp_path, shuffled=True).head(funnel.graph, funnel.encoder)
    assert fit.record is not None
    following = fit.record.figures["buys_next"]
    assert not following.served
    assert following.validation_auc == pytest.approx(0.5, abs=0.08)
    assert following.auc == pytest.approx(0.5, abs=0.08)
