"""The table of a log says what its run said, and a run that failed has none."""

from __future__ import annotations

import json
import runpy
import subprocess
from types import SimpleNamespace

import pytest

from tests.helpers.repository import BENCHMARKS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script():
    return SimpleNamespace(**runpy.run_path(str(BENCHMARKS / "judged_logs.py")))


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ([], "nothing was judged: the model is served already"),
        ([{"passed": True, "sentence": "good"}], "all passed"),
        ([{"passed": True, "sentence": "good"}, {"passed": False, "sentence": "bad"}], "bad"),
    ],
)
def test_what_the_gates_said(script, tmp_path, gates, expected):
    (tmp_path / "metrics.json").write_text(json.dumps({"gates": gates}))
    assert script._verdict(tmp_path) == [expected]


def test_a_refusal_is_a_result_and_a_failure_is_not(script, tmp_path, monkeypatch):
    # What an earlier run left does not make up for a failure.
    (tmp_path / "JData").mkdir()
    (tmp_path / "JData" / "run.json").write_text("{}")
    ended: list[int] = []
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], ended[-1])
    )
    for code in (0, 1):
        ended.append(code)
        assert script.run_log("JData", tmp_path, tmp_path, []) == tmp_path / "JData"
    ended.append(3)
    with pytest.raises(SystemExit, match="JData: the run ended with 3"):
        script.run_log("JData", tmp_path, tmp_path, [])


def test_the_table_marks_the_opponent_and_compares_the_combiner_with_each(script):
    row = {"mean": 0.2, "low": 0.1, "high": 0.3}
    lead = {"lead_mean": 0.01, "lead_low": -0.01, "lead_high": 0.03}
    table = {
        "log": "JData", "asked": "next basket", "users": 1209, "opponent": "up_cf",
        "left_out": {"tifu_knn": "too few"}, "verdict": ["all passed"],
        "rows": [{"model": "up_cf", **row, **lead}, {"model": "combiner", **row, **lead}],
    }  # fmt: skip
    text = script.markdown(table)
    assert "### JData: next basket, 1,209 test users" in text
    assert "| **UP-CF@r** (opponent) | 0.2000 | 0.1000 to 0.3000 | +0.0100 (-0.0100" in text
    assert "| combiner | 0.2000 | 0.1000 to 0.3000 | – |" in text
    assert "- TIFU-KNN: too few\n- Gates: all passed" in text
