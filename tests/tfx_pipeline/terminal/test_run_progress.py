"""Progress lines made from the log records of a run."""

import io
import logging
import time

from absl import logging as absl_logging

from tfx_pipeline.terminal import run_progress as progress_module
from tfx_pipeline.terminal.console import Console
from tfx_pipeline.terminal.run_progress import RunProgress, duration


def _run_node(name, cached=False):
    absl_logging.info("Component %s is running.", name)
    if cached:
        absl_logging.info("A cached execution %d is used.", 7)
    absl_logging.info("Component %s is finished.", name)


def test_lines_of_components_and_epochs():
    stream = io.StringIO()
    progress = RunProgress(Console(stream), ["A", "Trainer", "Z"], {"Trainer": 60, "Z": 61})
    with progress.shown():
        _run_node("A", cached=True)
        absl_logging.info("Component %s is running.", "Trainer")
        logging.getLogger("cohortrec.progress").info("epoch %d of 9", 1)
        absl_logging.info("something else")
        absl_logging.info("Component %s is finished.", "Trainer")
    lines = stream.getvalue().splitlines()
    assert lines[0].split() == ["[", "1/3]", "A", "from", "cache"]
    assert lines[1] == "[ 2/3]  Trainer …"
    assert lines[2].strip() == "epoch 1 of 9"
    assert lines[3].endswith("about 1 min 01 s left")
    assert len(lines) == 4


def test_a_long_component_is_announced_and_a_short_one_is_not(monkeypatch):
    monkeypatch.setattr(progress_module, "ANNOUNCED_AFTER_SECONDS", 0.05)
    stream = io.StringIO()
    with RunProgress(Console(stream), ["A", "B"], {}).shown():
        _run_node("A")
        absl_logging.info("Component %s is running.", "B")
        time.sleep(0.3)
        absl_logging.info("Component %s is finished.", "B")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1] == "[ 2/2]  B …"


def test_no_time_left_without_a_basis():
    stream = io.StringIO()
    with RunProgress(Console(stream), ["A", "B"], {}).shown():
        _run_node("A")
    assert "left" not in stream.getvalue()


def test_listeners_are_gone_afterwards():
    stream = io.StringIO()
    with RunProgress(Console(stream), ["A"], {}).shown():
        pass
    _run_node("A")
    assert stream.getvalue() == ""


def test_durations_read_well():
    assert [duration(s) for s in (0.44, 12.3, 200, 3900)] == [
        "0.4 s",
        "12 s",
        "3 min 20 s",
        "1 h 05 min",
    ]
