"""The lock files: complete, with hashes, without addresses, and within the ranges of setup.py."""

import ast

import pytest
from packaging.requirements import Requirement

from tests.helpers.repository import REPOSITORY

STACKS = [("tfx-1.16", "3.10"), *(("tfx-1.21", f"3.{minor}") for minor in (10, 11, 12, 13))]


def environment(python):
    return {
        "python_version": python,
        "python_full_version": f"{python}.5",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def applies(requirement, python):
    return requirement.marker is None or requirement.marker.evaluate(environment(python))


def locked(name, python):
    """Package to its version, of one lock on one Python."""
    lines = (REPOSITORY / "requirements" / f"{name}.lock").read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if not line.startswith((" ", "#"))]
    versions = {}
    for pin in (pin for pin in pins if applies(pin, python)):
        assert pin.name not in versions, f"{pin.name} twice for Python {python}"
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        versions[pin.name] = specifier.version
    return versions


def required():
    tree = ast.parse((REPOSITORY / "setup.py").read_text())
    (value,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "REQUIRES"
    ]
    return [Requirement(text) for text in ast.literal_eval(value)]


@pytest.mark.parametrize(("stack", "python"), STACKS)
def test_setup_takes_what_the_locks_have(stack, python):
    versions = locked(stack, python)
    wanted = [requirement for requirement in required() if applies(requirement, python)]
    assert {"tfx", "tensorflow", "kfp", "keras-nlp"} <= {wish.name for wish in wanted}
    for wish in wanted:
        assert wish.specifier.contains(versions[wish.name], prereleases=True), str(wish)


@pytest.mark.parametrize("name", ["bootstrap", "tfx-1.16", "tfx-1.21"])
def test_every_pin_has_hashes_and_no_address(name):
    text = (REPOSITORY / "requirements" / f"{name}.lock").read_text()
    assert "://" not in text
    for entry in text.replace("\\\n", " ").splitlines():
        assert "--hash=sha256:" in entry, entry


def test_what_builds_packages_is_the_same_in_every_lock():
    """bootstrap.lock is installed first; the stack then must not change uv under its own feet."""
    uv = {locked(stack, python)["uv"] for stack, python in STACKS}
    assert uv == {locked("bootstrap", "3.13")["uv"]}
