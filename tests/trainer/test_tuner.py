"""The search on a tiny shop: what is tried, what is found, and what the Trainers make of it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import keras
import keras_tuner
import pytest
from _pytest.monkeypatch import MonkeyPatch
from keras_tuner.src import backend
from tfx.components.tuner.executor import write_best_hyperparameters
from tfx.types import standard_artifacts

from tests.helpers.trainer_runs import ONE_MEMBER, TINY, fn_args
from trainer import tuner
from trainer.config import EncoderConfig, TrainingConfig
from trainer.encoder_trainer import run_fn
from trainer.serving.export import load_encoder
from trainer.settings import ConfigError
from trainer.training import callbacks
from trainer.training.encoder_fit import EncoderTrainerConfig
from trainer.training.search_space import ConfiguredThenRandom, hyperparameters
from trainer.training.tuned import best_values, specialist_values, take_over
from trainer.training.tuning_config import TuningConfig
from trainer.tuner import tuner_fn

pytestmark = pytest.mark.slow

TUNING = {
    "trials": 2,
    "epochs": 1,
    "learning_rate": [0.005, 0.05],
    "width": [16, 24],
    "layers": None,
}
CONFIG = {**ONE_MEMBER, "tuning": TUNING}
CONFIGURED = {
    "training.learning_rate": 0.02,
    "training.warmup_share": 0.05,
    "training.weight_decay": 0.0,
    "encoder.dropout": 0.0,
    "encoder.width": 16,
}


def tuner_args(directory, shop, config=CONFIG):
    """What the executor of TFX's Tuner hands over: without a place for a model."""
    args = fn_args(directory, shop, config)
    return SimpleNamespace(
        train_files=args.train_files,
        eval_files=args.eval_files,
        transform_graph_path=shop.graph_dir,
        working_dir=str(directory / "tmp"),
        base_model=None,
        custom_config=args.custom_config,
    )


def search(directory, shop):
    """As the executor does it: the best hyper-parameters' configuration and the results' table."""

    tuner, fit_kwargs = tuner_fn(tuner_args(directory, shop))
    tuner.search_space_summary()
    tuner.search(**fit_kwargs)
    tuner.results_summary()
    best, results = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, results.uri = str(directory / "best"), str(directory / "results")
    write_best_hyperparameters(tuner, {"best_hyperparameters": [best], "tuner_results": [results]})
    (file,) = (directory / "best").iterdir()
    table = json.loads((directory / "results" / "tuner_results.json").read_text())
    return json.loads(file.read_text()), table


@pytest.fixture(scope="module")
def searched(tiny_shop, tmp_path_factory):
    directory = tmp_path_factory.mktemp("tuner")
    lines = []
    with MonkeyPatch.context() as patch:
        patch.setattr(callbacks.progress, "info", lambda text, *values: lines.append(text % values))
        best, results = search(directory, tiny_shop)
    return SimpleNamespace(best=best, results=results, lines=lines, directory=directory)


def test_keras_tuner_uses_the_keras_of_our_models():
    assert backend.config.multi_backend()
    assert backend.keras.callbacks.Callback is keras.callbacks.Callback


def test_the_configured_values_are_tried_first_then_others_within_the_bounds(searched):
    trials = {row["trial_id"]: row for row in searched.results}
    first, second = trials["0"], trials["1"]
    assert {name: first[name] for name in CONFIGURED} == CONFIGURED
    assert 0.005 <= second["training.learning_rate"] <= 0.05
    assert 0.02 <= second["training.warmup_share"] <= 0.2
    assert 1e-3 <= second["training.weight_decay"] <= 0.1
    assert 0.1 <= second["encoder.dropout"] <= 0.4
    assert second["encoder.width"] in (16, 24)
    assert "encoder.layers" not in second


def test_the_best_trial_is_what_is_found(searched):
    best = max(searched.results, key=lambda row: row["score"])
    assert 0 < best["score"] <= 1
    assert searched.best["values"] == {name: best[name] for name in CONFIGURED}


def test_progress_tells_each_trial_and_nothing_is_left(searched):
    trials = [line for line in searched.lines if line.startswith("trial ")]
    assert "training.learning_rate 0.02" in trials[0]
    assert trials[0].startswith("trial 1/2: ")
    assert trials[1].startswith("trial 1/2: validation NDCG@10 ")
    assert trials[3].startswith("trial 2/2: validation NDCG@10 ")
    assert not list((searched.directory / "checkpoints").iterdir())


def values_of(results):
    return {row["trial_id"]: {name: row[name] for name in CONFIGURED} for row in results}


@pytest.fixture
def pretended(monkeypatch):
    """Trainings that take no time and end the better, the higher the rate; their settings."""

    trained = []

    def pretend(data, config, *, seed, checkpoints, tensorboard):
        trained.append(config)
        checkpoints.mkdir(parents=True)
        return SimpleNamespace(result=SimpleNamespace(best=config.training.learning_rate))

    monkeypatch.setattr(tuner, "fit_encoder", pretend)
    return trained


def test_same_seed_same_trials(searched, tiny_shop, tmp_path, pretended):
    _, results = search(tmp_path, tiny_shop)
    assert values_of(results) == values_of(searched.results)


def test_a_trial_trains_with_its_values_and_the_epochs_of_a_trial(tiny_shop, tmp_path, pretended):
    best, results = search(tmp_path, tiny_shop)
    rows = sorted(results, key=lambda row: row["trial_id"])
    assert [config.training.learning_rate for config in pretended] == [
        row["training.learning_rate"] for row in rows
    ]
    assert [config.encoder.width for config in pretended] == [row["encoder.width"] for row in rows]
    assert {config.training.epochs for config in pretended} == {1}
    assert best["values"]["training.learning_rate"] == max(row["score"] for row in rows)


def test_seed_0_is_a_seed():
    goal = keras_tuner.Objective("val_ndcg@10", "max")
    config = SimpleNamespace(encoder=EncoderConfig(), training=TrainingConfig())

    def second_trial(seed):
        space = hyperparameters(TuningConfig(), config)
        oracle = ConfiguredThenRandom({}, seed, objective=goal, hyperparameters=space)
        oracle.trials["0"] = None
        return oracle.populate_space("1")["values"]

    assert second_trial(0) == second_trial(0) != second_trial(1)


def test_an_interrupted_search_goes_on(searched, tiny_shop, tmp_path, monkeypatch, pretended):
    class PowerCutError(BaseException):
        pass

    def cut(*_, **__):
        raise PowerCutError

    # The current fails when the first trial has been trained and the second begins.
    pretend = tuner.fit_encoder
    with monkeypatch.context() as patch:
        outcomes = iter([pretend, cut])
        patch.setattr(tuner, "fit_encoder", lambda *a, **k: next(outcomes)(*a, **k))
        with pytest.raises(PowerCutError):
            search(tmp_path, tiny_shop)
    _, results = search(tmp_path, tiny_shop)
    assert len(pretended) == 2  # nothing was trained twice
    assert values_of(results) == values_of(searched.results)


def test_a_trial_that_fails_ends_the_search(tiny_shop, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr(tuner, "fit_encoder", fail)
    with pytest.raises(RuntimeError, match="trial 1/2 failed .*learning_rate 0.02.*no room"):
        search(tmp_path, tiny_shop)


@pytest.mark.usefixtures("without_export")
def test_the_encoder_trains_with_what_was_found(searched, tiny_shop, tmp_path, caplog):
    found = {**searched.best, "values": {**searched.best["values"], "encoder.width": 24}}
    args = fn_args(
        tmp_path, tiny_shop, {**ONE_MEMBER, "training": {**TINY["training"], "epochs": 1}}
    )
    args.hyperparameters = found
    with caplog.at_level("INFO", logger="cohortrec.progress"):
        run_fn(args)
    figures = json.loads((tmp_path / "run" / "training.json").read_text())
    assert figures["tuned"] == {
        name: {"value": found["values"][name], "configured": CONFIGURED[name]}
        for name in CONFIGURED
    }
    assert figures["settings"]["encoder"]["width"] == 24
    assert load_encoder(args.serving_model_dir).tower.width == 24
    assert "tuned: encoder.width = 24 (configured: 16)" in caplog.messages


def test_an_unknown_hyperparameter_is_an_error():
    found = keras_tuner.HyperParameters()
    found.Float("training.rate", 0.0, 1.0)
    with pytest.raises(ConfigError, match="unknown setting 'training.rate'"):
        take_over(EncoderTrainerConfig(), best_values(found.get_config()))


@pytest.mark.parametrize(
    ("factor", "configured", "advised"),
    [(0.5, 2e-4, 1e-4), (3.0, 2e-4, 3e-4), (0.001, 2e-4, 1e-5), (2.0, 0.01, 0.01)],
    ids=["follows", "not too high", "not too low", "what is configured is not overruled"],
)
def test_the_specialists_rate_follows_the_encoders_within_its_own_bounds(
    factor, configured, advised
):
    found = keras_tuner.HyperParameters()
    found.Float("training.learning_rate", 1e-9, 1.0, sampling="log", default=1e-3)
    found.values["training.learning_rate"] = 1e-3 * factor
    values = specialist_values(found.get_config(), configured, (1e-5, 3e-4))
    assert values == {"specialists.learning_rate": pytest.approx(advised)}
    assert specialist_values(None, configured, (1e-5, 3e-4)) == {}
    other = keras_tuner.HyperParameters()
    other.Choice("encoder.width", [32, 64])
    assert specialist_values(other.get_config(), configured, (1e-5, 3e-4)) == {}
