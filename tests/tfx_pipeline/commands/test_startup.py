"""What a command loads: TensorFlow and TFX take many seconds, so only those that need them do."""

import os
import subprocess
import sys

import pytest

from tests.helpers.terminal import cohortrec

pytestmark = pytest.mark.slow

HEAVY = ("tensorflow", "tfx", "apache_beam", "keras", "kfp", "sklearn", "matplotlib")
NEVER = ("tfx.v1", "google.cloud.aiplatform", "kubernetes_validate", "rfc3987_syntax")
"""Seconds of importing for nothing that the pipeline uses."""

_RUN = f"""
import sys
from tfx_pipeline.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as exit_:
    code = exit_.code
loaded = [name for name in {(*HEAVY, *NEVER)!r} if name in sys.modules]
print("loaded:", loaded, file=sys.stderr)
sys.exit(code)
"""


def _cohortrec(*arguments):
    return subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["run", "--help"], 0),
        (["recommend", "--help"], 0),
        (["compile", "--help"], 0),
        (["serving", "list", "{folder}"], 2),
        (["report", "{folder}"], 2),
        (["recommend", "--model", "{folder}", "--history", "1"], 2),
        (["run", "--preset", "quick", "--set", "encoder.width=wide", "--output", "{folder}"], 2),
        (["run", "--events", "{folder}/none.csv", "--output", "{folder}"], 2),
        (["run", "--events", "{folder}/empty.csv", "--output", "{folder}"], 2),
        (["benchmark", "--sequences", "{folder}/none", "--output", "{folder}"], 2),
        (["compile", "--set", "encoder.width=wide", "--output", "x.yaml"], 2),
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(arguments, code, tmp_path):
    (tmp_path / "empty.csv").touch()
    done = _cohortrec(*(part.format(folder=tmp_path) for part in arguments))
    assert done.returncode == code, done
    assert "loaded: []" in done.stderr


def test_a_command_that_loads_all_is_quiet_and_loads_nothing_for_nothing(tmp_path):
    """The libraries' own lines come from Python and from C++, while they are imported."""
    output = tmp_path / "pipeline.yaml"
    done = _cohortrec("compile", "--events", "gs://shop/events.csv", "--output", str(output))
    assert done.returncode == 0, done
    *lines, loaded = done.stderr.splitlines()
    assert all(line.startswith("warning: kubeflow.") for line in lines), done.stderr
    names = loaded.removeprefix("loaded: ")
    assert "'tfx'" in names
    assert "'kfp'" in names
    assert not any(repr(name) in names for name in NEVER), names
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["run", "--events", "x"], ["benchmark", "--sequences", "x"]], ids=lambda a: a[0]
)
def test_the_first_line_comes_before_anything_is_imported(arguments, tmp_path, monkeypatch):
    modules = ("settings.run_config", "terminal.console", "paths.inputs", "local.run_directory")
    for module in modules:
        monkeypatch.setitem(sys.modules, f"tfx_pipeline.{module}", None)
    answer = cohortrec(*arguments, "--output", tmp_path / "out")
    assert answer.code == 3  # an import failed, nothing else
    assert answer.out == "Checking the settings and the files …\n"
