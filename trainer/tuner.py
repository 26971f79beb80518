"""`Tuner.encoder`: searches good settings for the global encoder. TFX calls `tuner_fn`.

Each trial is the training that `Trainer.encoder` does, with other values and fewer epochs; the one
with the best validation NDCG@10 decides what the Trainers use.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import tensorflow_transform as tft
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FatalRuntimeError
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from trainer.data.encoder_data import EncoderData
from trainer.progress import progress
from trainer.training.callbacks import MONITOR
from trainer.training.encoder_fit import EncoderTrainerConfig, fit_encoder
from trainer.training.fit import checkpoint_folder
from trainer.training.search_space import ConfiguredThenRandom, configured_values, hyperparameters
from trainer.training.tuning_config import TuningConfig


class EncoderTunerConfig(EncoderTrainerConfig):
    """The sections that `Tuner.encoder` depends on: the Trainer's, and what is searched."""

    tuning: TuningConfig = TuningConfig()


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Reads the data once and prepares the search, which TFX then starts.

    Args:
        fn_args: `custom_config` holds `config` (sections of `EncoderTunerConfig`), `seed` and
            `checkpoint_root`; `base_model`, if any, is a folder of `trainer.data.item_content`.

    Raises:
        ConfigError: a value that would be tried is not valid.
        TrainingDataError: nothing to train on, no validation targets, or fewer than two items.
    """
    custom = fn_args.custom_config
    config = EncoderTunerConfig.from_dict(custom["config"])
    config.tuning.check_against(config)
    data = EncoderData.read(
        tft.TFTransformOutput(fn_args.transform_graph_path),
        fn_args.train_files,
        fn_args.eval_files,
        fn_args.base_model,
        config.encoder,
        custom["seed"],
        config.target_actions,
    )
    directory = checkpoint_folder(
        custom["checkpoint_root"],
        "tuner",
        [*fn_args.train_files, *fn_args.eval_files],
        f"{config.to_json()} {custom['seed']}",
    )
    return TunerFnResult(EncoderTuner(config, custom["seed"], directory), {"data": data})


class EncoderTuner(BaseTuner):
    """Trains an encoder for each point of the search space.

    Args:
        config: the configured settings and the search space around them.
        seed: of the points, and of every training: trials differ in their settings only.
        directory: memory of the search. A search that was interrupted goes on from it, within the
            trial at its last epoch; it is removed at the end.
    """

    def __init__(self, config: EncoderTunerConfig, seed: int, directory: Path) -> None:
        wanted = config.tuning.epochs
        epochs = config.training.epochs if wanted == "auto" else wanted
        self._config = config.updated({"training.epochs": epochs})
        self._seed = seed
        self._began = 0.0
        oracle = ConfiguredThenRandom(
            configured_values(config.tuning, config),
            seed,
            objective=keras_tuner.Objective(MONITOR, "max"),
            max_trials=config.tuning.trials,
            hyperparameters=hyperparameters(config.tuning, config),
            allow_new_entries=False,
        )
        # Its tables are for a notebook; ours are below.
        oracle.verbose = 0
        super().__init__(oracle, directory=str(directory.parent), project_name=directory.name)

    def on_search_begin(self) -> None:
        """Says what is to come, or where an interrupted search goes on."""
        done = len(self.oracle.end_order)
        if done:
            progress.info("resumed after trial %d", done)

    def on_trial_begin(self, trial: Trial) -> None:
        """Says which values are tried."""
        progress.info("%s: %s", self._position(trial), _listed(trial.hyperparameters.values))
        self._began = time.monotonic()

    def run_trial(self, trial: Trial, data: EncoderData) -> dict[str, float]:
        """Trains an encoder with the trial's values.

        Returns:
            its best validation NDCG@10.

        Raises:
            FatalRuntimeError: the training failed. keras-tuner would go on with the other trials
                and say so nowhere; skipping values in silence is worse than stopping.
        """
        folder = Path(self.get_trial_dir(trial.trial_id)) / "training"
        keras.utils.clear_session()
        keras.utils.set_random_seed(self._seed)
        try:
            fitted = fit_encoder(
                data,
                self._config.updated(trial.hyperparameters.values),
                seed=self._seed,
                checkpoints=folder / "checkpoints",
                tensorboard=folder / "tensorboard",
            )
        except Exception as error:
            values = _listed(trial.hyperparameters.values)
            raise FatalRuntimeError(
                f"{self._position(trial)} failed ({values}): {error}"
            ) from error
        shutil.rmtree(folder)
        return {MONITOR: fitted.result.best}

    def on_trial_end(self, trial: Trial) -> None:
        """Says what came of it."""
        super().on_trial_end(trial)
        (best,) = self.oracle.get_best_trials(1)
        progress.info(
            "%s: validation NDCG@10 %.4f (best %.4f, trial %d)  %.0f s",
            self._position(trial),
            self.oracle.get_trial(trial.trial_id).score,
            best.score,
            _number(best),
            time.monotonic() - self._began,
        )

    def on_search_end(self) -> None:
        """Removes the memory of the search; TFX writes its results into the artifacts."""
        shutil.rmtree(self.project_dir)

    def results_summary(self, num_trials: int = 10) -> None:
        """Says whether the search was worth it: the best trial against the configured values."""
        (best,) = self.oracle.get_best_trials(1)
        first = min(self.oracle.trials.values(), key=_number)
        if best is first:
            progress.info("none of the trials was better than the configured values")
        else:
            progress.info(
                "trial %d was the best: %.4f instead of %.4f with the configured values",
                _number(best),
                best.score,
                first.score,
            )

    def _position(self, trial: Trial) -> str:
        return f"trial {_number(trial)}/{self._config.tuning.trials}"


def _number(trial: Trial) -> int:
    """Trials counted from 1."""
    return int(trial.trial_id) + 1


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )
