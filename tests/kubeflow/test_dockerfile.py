"""The image: what its file promises, as far as that can be read without building it."""

import fnmatch
import os
import re
import shutil
import subprocess

import pytest

from tests.helpers.repository import REPOSITORY


@pytest.fixture(scope="module")
def instructions():
    """(instruction, arguments) in order, continued lines joined."""
    text = (REPOSITORY / "kubeflow" / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def _of(instructions, name):
    return [arguments for instruction, arguments in instructions if instruction == name]


def _copied(instructions):
    """What is copied from the repository (not from another stage)."""
    for arguments in _of(instructions, "COPY"):
        if not arguments.startswith("--from="):
            yield from arguments.split()[:-1]


def test_every_stage_is_the_same_slim_python_by_digest(instructions):
    stages = [stage.partition(" ")[0] for stage in _of(instructions, "FROM")]
    assert len(stages) == 2
    assert stages[0] == stages[1]
    assert re.fullmatch(r"python:3\.13-slim-[a-z]+@sha256:[0-9a-f]{64}", stages[0])


def test_it_does_not_run_as_root(instructions):
    last_stage = instructions[[name for name, _ in instructions].index("FROM", 1) :]
    (user,) = _of(last_stage, "USER")
    assert all(int(part) > 0 for part in user.split(":"))
    assert [name for name, _ in last_stage].index("USER") > [n for n, _ in last_stage].index("RUN")


def test_everything_is_installed_by_hash_and_built_without_fetching(instructions):
    installs = [run for run in _of(instructions, "RUN") if "pip install" in run]
    *locked, project = installs
    assert [run.rpartition(" ")[2] for run in locked] == [
        "requirements/bootstrap.lock",
        "requirements/tfx-1.21.lock",
    ]
    assert all("--no-deps" in run and "--require-hashes" in run for run in locked)
    # What ships as source is built with what bootstrap.lock brought.
    assert "--no-build-isolation" in locked[1]
    assert project == "pip install --no-deps --no-build-isolation ."


def test_packages_that_are_taken_out_again_are_in_the_lock(instructions):
    (taken,) = [run for run in _of(instructions, "RUN") if "pip uninstall" in run]
    locked = (REPOSITORY / "requirements" / "tfx-1.21.lock").read_text()
    for package in taken.partition("--yes ")[2].split():
        assert re.search(rf"^{re.escape(package)}==", locked, re.MULTILINE), package


def test_every_source_exists_and_reaches_the_builder(instructions):
    allowed = [
        line[1:]
        for line in (REPOSITORY / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = list(_copied(instructions))
    assert {"setup.py", "kubeflow/submit.py"} <= set(copied)
    for source in copied:
        path = source.removeprefix("./")
        assert (REPOSITORY / path).exists(), path
        assert any(fnmatch.fnmatch(path, pattern) for pattern in allowed), path


def test_every_package_is_copied(instructions):
    from setuptools import find_packages

    names = {name.partition(".")[0] for name in find_packages(str(REPOSITORY))}
    packages = names - {"tests", "tools"}
    assert packages <= {source.removeprefix("./") for source in _copied(instructions)}


def test_make_image_says_what_it_needs(tmp_path):
    """Without any builder on the path."""
    for tool in ("sh", "test", "echo"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    answer = subprocess.run(
        [shutil.which("make"), "image", "SHELL=" + shutil.which("sh")],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode != 0
    assert "make image needs docker, podman or buildah" in answer.stdout
