"""All artifact folders of an invented run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from components.baseline_model.record import BaselineRecord
from components.gates.push_record import PushRecord
from components.run_report.sources import RunFolders
from tests.helpers.invented_run.catalogue import write_items
from tests.helpers.invented_run.clustering import write_clusters
from tests.helpers.invented_run.comparison import write_comparison
from tests.helpers.invented_run.data_quality import write_data_quality
from tests.helpers.invented_run.training import unchanged_trainer, write_training


def write_run(
    root: Path,
    *,
    clusters: int = 5,
    trained: bool = True,
    items: bool = True,
    blessed: bool | None = True,
    same_model: bool = False,
    details: bool = True,
    actions: tuple[str, ...] = ("purchase",),
) -> RunFolders:
    """Writes everything but the TFMA evaluation, which `write_evaluation` makes."""
    rng = np.random.default_rng(7)
    sizes = [int(n) for n in sorted(rng.integers(90, 900, clusters), reverse=True)]
    write_data_quality(root / "data_quality", sum(sizes), actions)
    write_training(root / "encoder_run", "encoder", 12, 0.1241, rng)
    runs = []
    for k in range(clusters):
        folder = root / f"cluster_{k}_run"
        if trained and k != clusters - 1:
            write_training(folder, f"cluster_{k}", 6, 0.11 + 0.01 * k, rng, first=0)
        else:
            reason = f"{sizes[k]} users, fewer than the 200 it takes"
            unchanged_trainer(k, reason, sizes[k]).write(str(folder))
        runs.append(str(folder))
    write_clusters(root / "cluster_evaluation", sizes, actions, rng)
    write_comparison(root / "comparison", sizes, trained, details)
    if items:
        write_items(root / "items")
    if blessed is not None:
        (root / "blessing").mkdir(parents=True)
        (root / "blessing" / ("BLESSED" if blessed else "NOT_BLESSED")).touch()
    if same_model:
        baseline = BaselineRecord("served", "1700000000", "it is the stable version")
    else:
        baseline = BaselineRecord("own_items", "fff000", "own items are better on validation")
    (root / "baseline").mkdir()
    baseline.write(str(root / "baseline"))
    PushRecord("1732430000", "out/serving/1732430000", served=same_model).write(
        str(root / "pushed_model")
    )
    return RunFolders(
        data_quality=str(root / "data_quality"),
        encoder_run=str(root / "encoder_run"),
        specialist_runs=tuple(runs),
        cluster_evaluation=str(root / "cluster_evaluation"),
        comparison=str(root / "comparison"),
        blessing=str(root / "blessing"),
        items=str(root / "items"),
        pushed_model=str(root / "pushed_model"),
        baseline=str(root / "baseline"),
    )


def with_evaluation(folders: RunFolders, evaluation: str) -> RunFolders:
    return dataclasses.replace(folders, evaluation=evaluation)
