"""Runs that differ by their seed are put together, others are not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.helpers.repository import BENCHMARKS

pytestmark = pytest.mark.slow

SCRIPT = BENCHMARKS / "seeds.py"
METRICS = ("hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr")


def _result(seed, figure, sha256="a", epochs=8):
    models = {"combiner": {metric: {"mean": figure} for metric in METRICS}}
    return {
        "data_set": "Toys",
        "seed": seed,
        "files": [{"file": "toys/sequences.txt", "sha256": sha256, "bytes": 1}],
        "derived": {"item_features": {"value": "texts"}},
        "splits": {"test": {"models": models}, "validation": {"models": models}},
        "config": {
            "run": {"seed": seed, "events": [f"/somewhere/{seed}"]},
            "training": {"epochs": epochs},
            "clustering": {"seed": seed},
        },
        "seconds": 90.0,
        "peak_bytes": 2e9,
        "versions": {"cohortrec": "1"},
    }


def test_medians_of_runs_that_belong_together(tmp_path):
    runs = [_result(3, 0.3), _result(1, 0.1), _result(2, 0.25)]
    others = [_result(1, 0.5, sha256="b"), _result(1, 0.6, epochs=9)]
    for number, run in enumerate([*runs, *others]):
        (tmp_path / f"{number}.json").write_text(json.dumps(run))
    command = [sys.executable, SCRIPT, *sorted(tmp_path.glob("*.json"))]
    output = tmp_path / "out.json"
    shown = subprocess.run(
        [*command, "--output", output], check=True, capture_output=True, text=True
    )
    medians = [line.split()[1] for line in shown.stdout.splitlines() if line.startswith("median")]
    assert medians == ["0.2500", "0.5000", "0.6000"]
    first, *_ = json.loads(output.read_text())
    assert [run["seed"] for run in first] == [1, 2, 3]
    assert "/somewhere" not in output.read_text()
