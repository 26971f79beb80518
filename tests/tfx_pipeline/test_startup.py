"""What a command loads: TensorFlow and TFX take many seconds, so only those that need them do."""

import os
import subprocess
import sys
import time

import pytest

HEAVY = ("tensorflow", "tfx", "apache_beam", "keras", "kfp", "sklearn", "matplotlib")

_RUN = f"""
import sys
from tfx_pipeline.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as exit_:
    code = exit_.code
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print("loaded:", loaded, file=sys.stderr)
sys.exit(code)
"""


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
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *(part.format(folder=tmp_path) for part in arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == code, done
    assert "loaded: []" in done.stderr


def test_a_run_says_something_at_once(tmp_path):
    command = [sys.executable, "-m", "tfx_pipeline.cli", "run", "--output", str(tmp_path / "out")]
    began = time.monotonic()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Checking the settings")
        seconds = time.monotonic() - began
    # A tenth of a second or two; this is for a machine that is busy with other tests.
    assert seconds < 5
