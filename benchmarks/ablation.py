"""What each ingredient of the encoder is worth: trained again with one of them switched off.

Usage: python benchmarks/ablation.py RUN_DIR --output FILE [--only NAME …] [--set KEY=VALUE …]
                                     [--seeds 1 …]

RUN_DIR is the output of `cohortrec run` or `cohortrec benchmark`; its data, item texts and settings
are the starting point, and the training is that of `Trainer.encoder`. Prints one line for each
variant with the validation NDCG@10 and HR@10 of all users, and for baskets their recall@10; the
test split is not read. FILE keeps every result; the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import trainer  # noqa: F401, I001 (first: it throws the Keras switches)
import keras
import numpy as np
import tensorflow_transform as tft
from tfx.utils import path_utils

from tfx_pipeline.dag import nodes
from tfx_pipeline.local.metadata import RunMetadata
from trainer.evaluation.baskets import Baskets
from trainer.data.encoder_data import EncoderData
from trainer.training.encoder_fit import EncoderTrainerConfig, fit_encoder
from trainer.training.memory import release_memory
from trainer.evaluation.metrics import basket_values, user_values
from trainer.evaluation.scorer import Scorer
from trainer.training.fit import sample_users


class Variant(NamedTuple):
    """A change of the recipe."""

    settings: Mapping[str, Any] = {}
    texts: bool = True
    """Whether item texts may be used, where the run has some."""


VARIANTS = {
    "recipe": Variant(),
    "no item features": Variant({"encoder.cooccurrence": False}, texts=False),
    "no texts": Variant(texts=False),
    "one member": Variant({"encoder.members": 1}),
    "two members": Variant({"encoder.members": 2}),
    "no own items": Variant({"encoder.own_items": False}),
    "no looking ahead": Variant({"training.later_weight": 0.0}),
    "weights as they are": Variant({"training.average_epochs": 0.0}),
    "half the learning rate": Variant({"training.learning_rate": 1e-3}),
    "no dropout": Variant({"encoder.dropout": 0.0}),
    "one layer": Variant({"encoder.layers": 1}),
    "a third of the window": Variant({"encoder.max_events": 16}),
    "masked-item pre-training": Variant({"training.pretraining_epochs": 5}),
}


class Run:
    """What is needed of a run directory."""

    def __init__(self, directory: Path) -> None:
        """Finds the artifacts.

        Raises:
            SystemExit: the directory has no finished run.
        """
        if not (directory / "run.json").is_file():
            raise SystemExit(f"{directory} has no run.json; give the --output of a finished run")
        self.config: dict[str, Any] = json.loads((directory / "run.json").read_text())["config"]
        metadata = RunMetadata(directory / "metadata.db")

        def artifact(node: str, key: str) -> str:
            execution = metadata.latest(node)
            if execution is None:
                raise SystemExit(f"{node} never succeeded in {directory}; finish that run first")
            return execution.artifacts[key][0]

        self.graph = tft.TFTransformOutput(artifact(nodes.TRANSFORM, "transform_graph"))
        self.examples = artifact(nodes.INGESTION, "examples")
        self.content = path_utils.serving_model_dir(artifact(nodes.CONTENT_ENCODER, "content"))

    def data(self, variant: Variant, config: EncoderTrainerConfig, seed: int) -> EncoderData:
        """The data as `Trainer.encoder` has it under these settings."""
        return EncoderData.read(
            self.graph,
            [f"{self.examples}/Split-train/*"],
            [f"{self.examples}/Split-validation/*"],
            self.content if variant.texts else None,
            config.encoder,
            seed,
            config.target_actions,
        )

    def settings(self, changes: Mapping[str, Any]) -> EncoderTrainerConfig:
        """The run's settings with changes.

        Raises:
            ConfigError: a change is not a setting.
        """
        sections = {
            name: self.config[name]
            for name in EncoderTrainerConfig.model_fields
            if name in self.config
        }
        asked = self.config["data"].get("target_actions", [])
        return EncoderTrainerConfig.from_dict({**sections, "target_actions": asked}).updated(
            changes
        )


def measure(run: Run, variant: Variant, config: EncoderTrainerConfig, seed: int) -> dict[str, Any]:
    """Trains once and scores the validation split."""
    release_memory()
    keras.utils.set_random_seed(seed)
    data = run.data(variant, config, seed)
    wall, processor = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit_encoder(
            data,
            config,
            seed=seed,
            checkpoints=Path(folder) / "checkpoints",
            tensorboard=Path(folder) / "tensorboard",
        )
    wall, processor = time.monotonic() - wall, time.process_time() - processor
    encoder = fitted.encoder
    histories = sample_users(data.validation, len(data.validation), seed)
    scorer = Scorer(encoder, histories)
    queries = scorer.queries()
    ranks = scorer.ranks(queries)
    figures = {name: float(user_values(ranks, name).mean()) for name in ("ndcg@10", "hr@10")}
    baskets = Baskets.of(histories, encoder.catalogue.items, encoder.exclude_seen)
    if (np.diff(baskets.splits) > 1).any():
        found = baskets.ranks_in(scorer.lists(queries, 10))
        for name in ("basket_recall@10", "basket_ndcg@10"):
            figures[name] = float(basket_values(found, baskets.splits, name).mean())
    return {
        **figures,
        "best_epoch": fitted.result.best_epoch,
        "planned_epochs": fitted.result.planned,
        "item_features": data.item_features.source,
        "seconds": round(wall, 1),
        "processor_seconds": round(processor, 1),
    }


def changes_of(pairs: list[str]) -> dict[str, Any]:
    """`KEY=VALUE` arguments; values are JSON, or else text."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise SystemExit(f"--set {pair}: write KEY=VALUE, such as encoder.members=2")
        try:
            changes[key] = json.loads(value)
        except json.JSONDecodeError:
            changes[key] = value
    return changes


def main() -> None:
    """Trains every variant that the output file does not have yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--set", nargs="+", default=[], help="settings of every variant")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    arguments = parser.parse_args()
    run, changes = Run(arguments.run_dir), changes_of(arguments.set)
    results: list[dict[str, Any]] = []
    if arguments.output.exists():
        results = json.loads(arguments.output.read_text())
    for seed in arguments.seeds:
        for name in arguments.only:
            variant = VARIANTS[name]
            config = run.settings({**changes, **variant.settings})
            # A result is taken over only if nothing that it depends on has changed.
            what = {
                "variant": name,
                "seed": seed,
                "run": str(arguments.run_dir.resolve()),
                "examples": run.examples,
                "settings": config.model_dump(mode="json"),
            }
            found = next((r for r in results if {**r, **what} == r), None)
            if found is None:
                found = {**what, **measure(run, variant, config, seed)}
                results.append(found)
                arguments.output.parent.mkdir(parents=True, exist_ok=True)
                arguments.output.write_text(json.dumps(results, indent=1))
            print(
                f"{name:26} seed {seed}  NDCG@10 {found['ndcg@10']:.4f}  "
                f"HR@10 {found['hr@10']:.4f}  "
                + "".join(f"{n} {v:.4f}  " for n, v in found.items() if n.startswith("basket_"))
                + f"epoch {found['best_epoch']}/{found['planned_epochs']}  "
                f"{found['seconds']:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
