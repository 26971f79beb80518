"""The table of `cohortrec serving list`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tfx_pipeline.deployment.version_folder import VersionFolder
from tfx_pipeline.serving.served import read_description
from tfx_pipeline.terminal.console import Console

SHOWN_ID = 12
METRIC = "ndcg@10"


def show_versions(folder: VersionFolder, console: Console) -> None:
    """Shows every version, the newest first.

    The metric is what the model reached on the test users of the run that made it: figures of
    different runs are of different users, unless the data was the same.

    Args:
        folder: the push destination.
        console: gets the table.
    """
    state, record = folder.state(), folder.record()
    rows = []
    for version in sorted((*state.visible, *state.hidden), reverse=True):
        path = folder.path(version)
        rows.append(
            [
                str(version),
                ", ".join(state.labels_of(version)),
                (folder.model_id(version) or "–")[:SHOWN_ID],
                record.pushed_at(version) or _written(path),
                _megabytes(path),
                _metric(path),
            ]
        )
    console.table(
        ["version", "labels", "model", "pushed", "MB", "test NDCG@10"],
        rows,
        text=("labels", "model", "pushed"),
    )


def _written(path: Path) -> str:
    """When the folder was last changed, as good as any time for a version without a record."""
    moment = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.timezone.utc)
    return moment.isoformat(timespec="seconds")


def _megabytes(path: Path) -> str:
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return f"{size / 1e6:.1f}"


def _metric(path: Path) -> str:
    metrics = read_description(path).get("metrics", {})
    return f"{metrics[METRIC]:.4f}" if METRIC in metrics else "–"
