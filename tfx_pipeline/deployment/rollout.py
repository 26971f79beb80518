"""What moves labels: a push, a promotion, a rollback."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from tfx_pipeline.deployment.version_folder import VersionFolder
from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.paths.inputs import InputError
from tfx_pipeline.settings.deployment_config import DeploymentConfig


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A candidate that lies in the push destination already.

    Attributes:
        version: under which number.
        withdrawn: it was rolled back; only a promotion by hand brings it into service again.
    """

    version: int
    withdrawn: bool


@dataclasses.dataclass(frozen=True)
class Change:
    """A promotion or a rollback.

    Attributes:
        before: the version that was stable.
        state: what there is now.
    """

    before: int | None
    state: VersionState


def find_candidate(folder: VersionFolder, state: VersionState, model: str | None) -> Arrival | None:
    """Looks for a model among the versions that matter: rolled back, stable, or newer than that.

    An older one that was replaced in the ordinary way does not count: pushed again, it is what
    training wants to be served now.

    Args:
        folder: the push destination.
        state: of it.
        model: content id of the candidate; None never matches.
    """
    if model is None:
        return None
    for version, withdrawn in state.withdrawn.items():
        if withdrawn == model:
            return Arrival(version, withdrawn=True)
    for version in reversed(state.visible):
        current = state.stable is not None and version >= state.stable
        if current and version not in state.withdrawn and folder.model_id(version) == model:
            return Arrival(version, withdrawn=False)
    return None


def admit(
    folder: VersionFolder, state: VersionState, version: int, config: DeploymentConfig
) -> VersionState:
    """Labels a version that passed the gates; called within `VersionFolder.changing`.

    Args:
        folder: the push destination.
        state: of it, before the version came in.
        version: in place.
        config: says whether it becomes stable or the canary.

    Returns:
        The state after it.
    """
    known = version in state.visible
    waiting = version == state.canary and config.promote == "manual"
    if known and (version == state.stable or waiting):
        folder.configure(state, config)
        return state
    if not known:
        state = dataclasses.replace(state, visible=(*state.visible, version))
    automatic = config.promote == "automatic" or state.stable is None
    after = state.promoted(version) if automatic else state.tried(version)
    folder.commit("promoted" if known else "pushed", version, after, config)
    return after


def promote(folder: VersionFolder, version: int | None = None) -> Change:
    """Makes a version stable.

    Args:
        folder: the push destination.
        version: None for the newest that was not rolled back.

    Returns:
        What came of it; nothing where the version was stable already.

    Raises:
        InputError: there is no such version, or it is older than the stable one.
    """
    with folder.changing() as state:
        chosen = state.newest() if version is None else version
        if chosen is None:
            raise InputError(f"there is no version in {str(folder.root)!r}")
        config = folder.record().deployment
        if chosen == state.stable:
            folder.configure(state, config)
            return Change(chosen, state)
        after = state.promoted(chosen)
        folder.show(chosen)
        folder.commit("promoted", chosen, after, config)
        return Change(state.stable, folder.state())


def roll_back(folder: VersionFolder, version: int | None = None) -> Change:
    """Makes the version stable that was so before, and withdraws those after it.

    They stay visible until `finish_rollback`, so that no server unloads what its labels name.

    Args:
        folder: the push destination.
        version: None for the one that was stable before.

    Raises:
        InputError: there is nothing to go back to, or the version is not an older one.
    """
    with folder.changing() as state:
        models = {known: folder.model_id(known) for known in state.visible}
        after = state.rolled_back(version, models)
        assert after.stable is not None
        folder.commit("rolled back", after.stable, after, folder.record().deployment)
        return Change(state.stable, folder.state())


def finish_rollback(folder: VersionFolder, grace_seconds: float) -> None:
    """Takes rolled-back versions out of servers' sight once their labels have moved.

    Args:
        folder: the push destination.
        grace_seconds: how long servers may take to read `models.config` again.
    """
    time.sleep(grace_seconds)
    with folder.changing() as state:
        folder.hide_withdrawn(state)


def serving_folder(place: Path) -> VersionFolder:
    """The push destination that a user means: a run directory, or its `serving/` folder.

    Raises:
        InputError: there is no version in either.
    """
    for folder in (place / "serving", place):
        found = VersionFolder(folder)
        if folder.is_dir():
            state = found.state()
            if state.visible or state.hidden:
                return found
    reason = "there is no such folder" if not place.exists() else "no model was pushed there"
    raise InputError(
        f"no versions at {str(place)!r}: {reason}; give a run directory or its serving/ folder. "
        "A bucket is changed where it is mounted as a folder"
    )
