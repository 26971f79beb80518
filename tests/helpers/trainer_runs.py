"""What TFX hands to a run function, for the tiny shop."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

TINY = {
    "encoder": {
        "width": 16,
        "members": 2,
        "layers": 1,
        "feedforward": 32,
        "dropout": 0.0,
        "max_events": 8,
    },
    "training": {
        "epochs": 12,
        "learning_rate": 0.02,
        "batch_size": 64,
        "patience": 12,
        "weight_decay": 0.0,
    },
}

ONE_MEMBER = {**TINY, "encoder": {**TINY["encoder"], "members": 1}}
"""Half of the graph to trace, where the ensemble is not what is tested."""


def fn_args(directory: Path, shop, config: dict, **custom) -> SimpleNamespace:
    return SimpleNamespace(
        train_files=shop.train,
        eval_files=shop.validation,
        transform_output=shop.graph_dir,
        serving_model_dir=str(directory / "model"),
        model_run_dir=str(directory / "run"),
        base_model=None,
        hyperparameters=None,
        custom_config={
            "config": config,
            "seed": 3,
            "checkpoint_root": str(directory / "checkpoints"),
            **custom,
        },
    )
