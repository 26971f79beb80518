"""requirements/choose-stack: which Python and which stack are taken, and what is said if none fits.

The machine is played by commands on the PATH: pythons, `getconf`, `uname` and a compiler.
"""

import shutil
import subprocess

import pytest

from tests.helpers.repository import REPOSITORY

SCRIPT = REPOSITORY / "requirements" / "choose-stack"
PYTHON = """#!/bin/sh
case "$2" in
  *executable*) echo "$0" ;;
  *version_info*) echo {version} ;;
  *ensurepip*) exit {without_venv} ;;
  *include*) echo {headers} ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """Makes a machine; returns a function that runs the script on it."""
    commands = tmp_path / "bin"
    headers = tmp_path / "include"
    commands.mkdir()
    headers.mkdir()
    (headers / "Python.h").touch()

    def command(name, text):
        path = commands / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def python(version, name=None, venv=True, header=True):
        return command(
            name or f"python{version}",
            PYTHON.format(
                version=version, without_venv=int(not venv), headers=headers if header else tmp_path
            ),
        )

    def run(*arguments, glibc="2.41", system="Linux x86_64", compiler=True):
        command("getconf", f"#!/bin/sh\necho glibc {glibc}\n")
        command("uname", f"#!/bin/sh\necho {system}\n")
        if compiler:
            command("c++", "#!/bin/sh\n")
        for tool in ("sed", "cat"):
            if not (commands / tool).exists():
                (commands / tool).symlink_to(shutil.which(tool))
        return subprocess.run(
            [shutil.which("sh"), str(SCRIPT), *arguments],
            env={"PATH": str(commands)},
            capture_output=True,
            text=True,
            timeout=30,
        )

    run.python = python
    return run


@pytest.mark.parametrize(
    ("glibc", "versions", "stack", "taken"),
    [
        ("2.41", ["3.10", "3.11", "3.12", "3.13"], "tfx-1.21", "3.13"),
        ("2.39", ["3.10", "3.12"], "tfx-1.21", "3.12"),
        ("2.39", ["3.10"], "tfx-1.21", "3.10"),
        ("2.38", ["3.10", "3.11"], "tfx-1.16", "3.10"),
        ("2.36", ["3.10", "3.11", "3.12", "3.13"], "tfx-1.16", "3.10"),
        ("2.4", ["3.10", "3.13"], "tfx-1.16", "3.10"),
    ],
)
def test_the_newest_python_that_a_stack_fits(machine, glibc, versions, stack, taken):
    made = {version: machine.python(version) for version in versions}
    answer = machine(glibc=glibc)
    assert (answer.returncode, answer.stdout.split()) == (0, [stack, str(made[taken])])


def test_the_python_that_is_named(machine):
    machine.python("3.13")
    named = machine.python("3.11", name="mine")
    assert machine(str(named)).stdout.split() == ["tfx-1.21", str(named)]


def test_a_python_without_venv_or_headers_is_passed_over_and_named(machine):
    machine.python("3.13", venv=False)
    machine.python("3.12", header=False)
    answer = machine()
    assert answer.returncode == 2
    assert "python3.13: has no venv module" in answer.stderr
    assert "apt-get install python3.13-venv" in answer.stderr
    assert "apt-get install python3.12-dev" in answer.stderr
    machine.python("3.11")
    assert machine().stdout.split()[1].endswith("python3.11")


def test_one_message_says_what_is_missing_and_how_to_get_it(machine):
    machine.python("3.12")
    answer = machine(glibc="2.36")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "python3.12: TFX for Python 3.12 needs glibc 2.39 or newer (here: 2.36)" in answer.stderr
    assert "python3.10: not found" in answer.stderr
    assert "pyenv install 3.10" in answer.stderr


def test_a_python_that_is_too_new(machine):
    answer = machine(str(machine.python("3.14", name="python3")))
    assert answer.returncode == 2
    assert "is Python 3.14; TFX has packages for 3.10 to 3.13" in answer.stderr


def test_other_systems_and_a_missing_compiler(machine):
    machine.python("3.13")
    assert "no C++ compiler" in machine(compiler=False).stderr
    answer = machine(system="Darwin arm64")
    assert answer.returncode == 2
    assert "Linux on x86-64 only; this is Darwin arm64" in answer.stderr


def test_every_stack_has_its_lock():
    text = SCRIPT.read_text()
    for stack in ("tfx-1.21", "tfx-1.16"):
        assert f"stack={stack}" in text
        assert (SCRIPT.parent / f"{stack}.lock").is_file()
