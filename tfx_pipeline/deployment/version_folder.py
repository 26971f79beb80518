"""A push destination on this machine: every change whole, one at a time, and safe for servers.

A version appears by one rename, and disappears by one. Labels move by one rename too, that of
`models.config`, which servers and everyone here read. `versions.json` is written before it: after
a crash in between, the labels still stand as they were, and its entries about them are passed over.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from tfx_pipeline.deployment.server_configs import (
    BATCHING_CONFIG,
    MONITORING_CONFIG,
    batching_config,
    models_config,
    monitoring_config,
)
from tfx_pipeline.deployment.version_record import VersionRecord
from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.paths.locks import locked
from tfx_pipeline.serving.served import MODEL_FILE, model_id, read_labels
from tfx_pipeline.settings.deployment_config import DeploymentConfig
from trainer.serving.version_labels import MODELS_CONFIG, version_numbers
from trainer.whole_files import UNFINISHED, rename_whole, write_whole

HIDDEN = "withdrawn"
STAGING = ".push-"
DELETED = ".deleted-"
LOCK_SECONDS = 60.0


class VersionFolder:
    """The versions of one push destination."""

    def __init__(self, root: Path) -> None:
        """Opens it; nothing is read yet.

        Args:
            root: the folder of numbered versions.
        """
        self.root = root

    def path(self, version: int) -> Path:
        """Where a version lies, in sight of servers or not."""
        visible = self.root / str(version)
        return visible if visible.is_dir() else self.root / HIDDEN / str(version)

    def record(self) -> VersionRecord:
        """The history and the settings of the last push."""
        return VersionRecord.read(self.root)

    def state(self) -> VersionState:
        """What there is now."""
        record = self.record()
        visible, hidden = _versions(self.root), _versions(self.root / HIDDEN)
        labels = read_labels(self.root)
        # Without labels the newest is served, so that each has been in its time.
        before = visible if labels.stable is None else record.stable_before
        order = labels.served_order(visible)
        stable = order[0] if order else None
        canary = labels.canary if labels.canary in visible else stable
        named = {stable, canary}
        return VersionState(
            tuple(visible),
            tuple(hidden),
            stable,
            canary,
            tuple(v for v in before if stable is not None and v < stable),
            {v: model for v, model in record.withdrawn.items() if v not in named},
        )

    def model_id(self, version: int) -> str | None:
        """The content id of a version's model."""
        return model_id(self.path(version))

    @contextlib.contextmanager
    def changing(self) -> Iterator[VersionState]:
        """Keeps others from changing the folder, and clears what crashed changes left.

        Yields:
            The state to start from.

        Raises:
            InputError: somebody else is changing it for longer than a minute.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        refusal = (
            f"another process has been changing {str(self.root)!r} for a minute; "
            "try again when it is done"
        )
        with locked(self.root, refusal, LOCK_SECONDS):
            for pattern in (STAGING, DELETED):
                for leftover in self.root.glob(f"{pattern}*"):
                    shutil.rmtree(leftover)
            for half_written in self.root.glob(f"{UNFINISHED}*"):
                half_written.unlink()
            yield self.state()

    def staging(self) -> Path:
        """A new folder out of servers' sight, for a copy on its way in."""
        folder = self.root / f"{STAGING}{time.time_ns()}"
        folder.mkdir()
        return folder

    def take_in(self, staged: Path, state: VersionState) -> int:
        """Moves a complete copy into place; called within `changing`.

        Args:
            staged: the SavedModel below `staging`, in a folder with its version as name.
            state: from `changing`.

        Returns:
            The version: the folder's name, unless that would not be the newest.
        """
        known = (*state.visible, *state.hidden, *state.withdrawn)
        version = max(int(staged.name), 1 + max(known, default=0))
        rename_whole(staged, self.root / str(version))
        return version

    def show(self, version: int) -> None:
        """Puts a withdrawn version back into servers' sight."""
        hidden = self.root / HIDDEN / str(version)
        if hidden.is_dir():
            hidden.rename(self.root / str(version))

    def commit(
        self, action: str, version: int, state: VersionState, config: DeploymentConfig
    ) -> None:
        """Makes a state the present one; called within `changing`.

        Args:
            action: what was done, for the history.
            version: with which version.
            state: labels and history after it.
            config: the settings to go on with.
        """
        record = dataclasses.replace(self.record(), deployment=config)
        record.after(action, version, state).write(self.root)
        self._write_configs(state, config)
        for surplus in dataclasses.replace(
            state, visible=tuple(_versions(self.root)), hidden=tuple(_versions(self.root / HIDDEN))
        ).surplus(config.kept_versions):
            self._delete(surplus)

    def configure(self, state: VersionState, config: DeploymentConfig) -> None:
        """Takes settings over and leaves versions and labels alone; called within `changing`."""
        dataclasses.replace(self.record(), deployment=config).write(self.root)
        self._write_configs(state, config)

    def hide_withdrawn(self, state: VersionState) -> None:
        """Takes rolled-back versions out of servers' sight; called within `changing`.

        Servers that read no labels serve the newest version they see, which is then the stable one.
        """
        for version in state.withdrawn:
            visible = self.root / str(version)
            if visible.is_dir():
                (self.root / HIDDEN).mkdir(exist_ok=True)
                visible.rename(self.root / HIDDEN / str(version))

    def _write_configs(self, state: VersionState, config: DeploymentConfig) -> None:
        """Writes what servers read beside the versions."""
        write_whole(self.root / BATCHING_CONFIG, batching_config(config.batching))
        write_whole(self.root / MONITORING_CONFIG, monitoring_config())
        write_whole(self.root / MODELS_CONFIG, models_config(config, state.labels))

    def _delete(self, version: int) -> None:
        """Takes a version out of sight before its files go one by one."""
        gone = self.root / f"{DELETED}{version}"
        self.path(version).rename(gone)
        shutil.rmtree(gone)


def _versions(folder: Path) -> list[int]:
    """Complete versions in a folder, ascending."""
    if not folder.is_dir():
        return []
    names = [path.name for path in folder.iterdir() if (path / MODEL_FILE).is_file()]
    return version_numbers(names)
