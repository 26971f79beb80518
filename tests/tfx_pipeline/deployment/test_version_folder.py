"""Changes of a push destination: whole, one at a time, and never against a server."""

import itertools
import subprocess
import sys

import pytest

from tests.helpers.pushed_versions import visible, write_model, write_versions
from tests.helpers.repository import REPOSITORY
from tfx_pipeline.deployment import version_folder
from tfx_pipeline.deployment.rollout import admit, finish_rollback, promote, roll_back
from tfx_pipeline.deployment.version_folder import VersionFolder
from tfx_pipeline.paths.inputs import InputError
from tfx_pipeline.serving.served import served_version
from tfx_pipeline.settings.deployment_config import DeploymentConfig


def push(folder, name, identity, config):
    with folder.changing() as state:
        staging = folder.staging()
        staged = write_model(staging / str(name), identity)
        version = folder.take_in(staged, state)
        staging.rmdir()
        admit(folder, state, version, config)
    return version


@pytest.fixture
def folder(tmp_path):
    return VersionFolder(tmp_path / "serving")


def test_versions_without_labels_are_served_as_tensorflow_serving_does(folder):
    write_versions(folder.root, 9, 10, 11)
    (folder.root / "11" / "saved_model.pb").unlink()
    state = folder.state()
    assert (state.visible, state.stable, state.canary) == ((9, 10), 10, 10)
    assert roll_back(folder).state.stable == 9


def test_the_last_versions_are_kept(folder):
    config = DeploymentConfig(kept_versions=2)
    for number in range(1, 6):
        push(folder, number, f"m{number}", config)
    assert visible(folder.root) == [4, 5]
    assert folder.state().stable == 5
    assert not list(folder.root.glob(".deleted-*"))


def test_what_a_label_names_outlives_the_last_versions(folder):
    config = DeploymentConfig(kept_versions=2, promote="manual")
    for number in range(1, 6):
        push(folder, number, f"m{number}", config)
    state = folder.state()
    assert (state.visible, state.stable, state.canary) == ((1, 4, 5), 1, 5)


def test_numbers_only_grow(folder):
    """A clock that was put back must not make a push older than what is served."""
    config = DeploymentConfig()
    assert push(folder, 100, "a", config) == 100
    assert push(folder, 50, "b", config) == 101
    roll_back(folder)
    assert push(folder, 60, "c", config) == 102


def test_a_rollback_hides_the_version_only_after_the_grace(folder):
    config = DeploymentConfig()
    for number in (1, 2):
        push(folder, number, f"m{number}", config)
    assert roll_back(folder).state.stable == 1
    # Servers still have version 2 behind the label: its folder must stay for now.
    assert visible(folder.root) == [1, 2]
    assert served_version(folder.root) == folder.root / "1"
    finish_rollback(folder, 0)
    assert visible(folder.root) == [1]
    assert (folder.path(2) / "saved_model.pb").is_file()
    assert promote(folder, 2).state.stable == 2
    assert visible(folder.root) == [1, 2]


def test_a_crash_before_the_labels_moved_changes_nothing_that_counts(folder, monkeypatch):
    config = DeploymentConfig()
    for number in (1, 2):
        push(folder, number, f"m{number}", config)

    def crash(*_):
        raise OSError("the power is gone")

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(VersionFolder, "_write_configs", crash)
        roll_back(folder)
    state = folder.state()
    assert (state.stable, state.withdrawn) == (2, {})
    finish_rollback(folder, 0)
    assert visible(folder.root) == [1, 2]
    assert roll_back(folder).state.stable == 1


@pytest.mark.parametrize("name", ["models.config", "versions.json"])
def test_the_next_change_clears_what_a_killed_writer_left(folder, name):
    push(folder, 1, "m1", DeploymentConfig())
    kept = (folder.root / name).read_text()
    script = (
        "import os, pathlib, sys; from trainer.whole_files import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as scratch:\n"
        "    scratch.write_text('half')\n"
        "    os._exit(9)\n"
    )
    command = [sys.executable, "-c", script, str(folder.root / name)]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 9
    (left,) = folder.root.glob(f".*-{name}")
    assert left.read_text() == "half"
    with folder.changing():
        assert not left.exists()
    assert (folder.root / name).read_text() == kept


def test_changes_wait_for_each_other(folder, monkeypatch):
    write_versions(folder.root, 1, 2, 3)
    monkeypatch.setattr(version_folder, "LOCK_SECONDS", 0.2)
    with folder.changing(), pytest.raises(InputError, match="another process has been changing"):
        promote(VersionFolder(folder.root))
    # Many at once: each finds a whole state and leaves one.
    command = [sys.executable, "-m", "tfx_pipeline.cli", "serving"]
    roll = [*command, "rollback", "--grace", "0", str(folder.root)]
    back = [*command, "promote", "--version", "3", str(folder.root)]
    running = [
        subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for arguments in (roll, back) * 2
    ]
    changes = 0
    for process in running:
        out, error = process.communicate(timeout=60)
        assert process.returncode in (0, 2), error
        changes += b"is stable; before" in out
    state = folder.state()
    assert sorted((*state.visible, *state.hidden)) == [1, 2, 3]
    assert state.stable in state.visible
    assert state.stable not in state.withdrawn
    stable = [3, *(event["stable"] for event in folder.record().events)]
    assert len(stable) == changes + 1
    # Nobody worked on a state that another one had changed meanwhile.
    assert all(now != then for then, now in itertools.pairwise(stable))


def test_readers_never_see_half_a_file(folder):
    """One process moves labels all the time; everything read meanwhile is whole."""
    write_versions(folder.root, 1, 2)
    promote(folder)
    script = (
        "import sys; from pathlib import Path\n"
        "from tfx_pipeline.deployment.rollout import promote, roll_back\n"
        "from tfx_pipeline.deployment.version_folder import VersionFolder\n"
        "folder = VersionFolder(Path(sys.argv[1]))\n"
        "for _ in range(12):\n    roll_back(folder, 1); promote(folder, 2)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, folder.root], cwd=REPOSITORY)
    seen = set()
    while process.poll() is None:
        seen.add(served_version(folder.root).name)
        folder.state()
    assert process.returncode == 0
    assert seen == {"1", "2"}


def test_a_damaged_record_is_explained(folder):
    write_versions(folder.root, 1)
    (folder.root / "versions.json").write_text('{"stable_before": 3}')
    with pytest.raises(InputError, match="damaged .* remove it"):
        folder.state()
