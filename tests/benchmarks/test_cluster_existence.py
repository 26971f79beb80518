"""The simulation that measures how often clusters are found."""

import json
import sys

import numpy as np
import pytest

from tests.helpers.repository import BENCHMARKS

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster_existence(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import cluster_existence

    yield cluster_existence
    sys.modules.pop("cluster_existence")


def test_planted_clusters_have_the_distance_that_is_asked_for(cluster_existence):
    rng = np.random.default_rng(0)
    points, truth = cluster_existence.planted(3, 6.0, shares=(0.5, 0.3, 0.2))(rng, 20_000, 16)
    centres = np.stack([points[truth == k].mean(axis=0) for k in range(3)])
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.linalg.norm(centres[i] - centres[j]) == pytest.approx(6.0, abs=0.2)
    within = points - centres[truth]
    assert within.std(axis=0) == pytest.approx(np.ones(16), abs=0.05)
    assert np.bincount(truth) / 20_000 == pytest.approx([0.5, 0.3, 0.2], abs=0.02)


def test_rates_of_one_continuum_and_one_planted_cloud(cluster_existence, monkeypatch, tmp_path):
    output = tmp_path / "rates.json"
    arguments = ["--users", "300", "--dim", "8", "--repetitions", "1", "--others", "0"]
    clouds = ["--clouds", "cap", "two, 4 apart", "--output", str(output)]
    monkeypatch.setattr(sys, "argv", ["cluster_existence.py", *arguments, *clouds])
    cluster_existence.main()
    rates = json.loads(output.read_text())
    assert rates["cap"] == {"decision": 0.0}
    assert rates["two, 4 apart"]["decision"] == 1.0
    assert rates["two, 4 apart"]["median_k"] == 2.0
    assert rates["two, 4 apart"]["ari"] > 0.8
