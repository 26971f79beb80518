"""Stability of clusterings that come back, and of those that do not."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.sequence_clusterer.algorithms import KMeans
from components.sequence_clusterer.choice import stability
from components.sequence_clusterer.config import ClusteringConfig


def planted(groups, each, spread=0.1, seed=0):
    rng = np.random.default_rng(seed)
    points = np.repeat(np.eye(groups, 8), each, axis=0)
    return (points + rng.normal(0, spread, points.shape)).astype(np.float32)


def judged(points, k, seed=0, algorithm=None):
    algorithm = algorithm or KMeans(ClusteringConfig())
    labels = algorithm.fit(points, k, seed).labels
    return stability.measure_stability(points, labels, algorithm, k, seed)


def test_planted_groups_come_back():
    found = judged(planted(4, 50), 4)
    assert found.resampled == pytest.approx(1.0)
    assert found.resampled_interval == pytest.approx((1.0, 1.0))
    assert found.reseeded == pytest.approx(1.0)
    assert found.jaccard == pytest.approx([1.0] * 4)
    assert found.readings() == ["highly stable"] * 4
    np.testing.assert_allclose(found.together, np.eye(4), atol=1e-12)
    assert (found.resamples, found.users) == (20, 200)


def test_cuts_of_a_round_cloud_do_not_come_back():
    points = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)
    found = judged(points, 5)
    assert found.resampled < 0.6
    assert found.resampled_interval[0] < found.resampled < found.resampled_interval[1]
    assert found.reseeded < 0.9
    assert "dissolved" in found.readings() or "doubtful" in found.readings()
    assert found.together[~np.eye(5, dtype=bool)].max() > 0.1


def test_the_doubtful_clusters_are_named():
    """Three groups in four clusters: the halves of the wide group are what does not come back."""
    rng = np.random.default_rng(0)
    wide = np.eye(8)[2] + rng.normal(0, 0.3, (120, 8))
    found = judged(np.concatenate([planted(2, 60), wide]).astype(np.float32), 4)
    firm = [k for k in range(4) if found.jaccard[k] > 0.95]
    loose = [k for k in range(4) if found.jaccard[k] < 0.85]
    assert (len(firm), len(loose)) == (2, 2)
    assert found.together[loose[0], loose[1]] > 0.1
    assert found.together[firm[0], firm[1]] == 0.0


def test_a_long_cloud_is_stable_without_having_clusters():
    """Why stability does not decide (Ben-David et al. 2006)."""
    points = np.random.default_rng(0).normal(size=(2_000, 8)) * np.array([9.0] + [1.0] * 7)
    assert judged(points.astype(np.float32), 2).resampled > 0.9


class Fixed:
    """Gives every point the label that its first coordinate says."""

    def fit(self, points, k, seed):
        return SimpleNamespace(labels=points[:, 0].astype(int))


def test_jaccard_by_hand():
    """A cluster loses half of its users to the other one in every resample."""
    points = np.array([[0.0]] * 50 + [[1.0]] * 100)
    labels = np.repeat([0, 1], [100, 50])
    found = stability.measure_stability(points, labels, Fixed(), 2, 0)
    # {0: 50} against {0: 100} -> 1/2; {1: 100} against {1: 50} -> 1/2
    assert found.jaccard == pytest.approx([0.5, 0.5], abs=0.05)
    assert found.together[0, 1] == pytest.approx(0.5, abs=0.05)
    assert found.together[0, 0] == pytest.approx(0.5, abs=0.05)
    assert found.together[1, 1] == 1.0


def test_noise_is_no_cluster():
    points = np.array([[0.0]] * 50 + [[1.0]] * 50 + [[-1.0]] * 20)
    found = stability.measure_stability(points, points[:, 0].astype(int), Fixed(), 2, 0)
    assert found.resampled == 1.0
    assert found.jaccard == [1.0, 1.0]
    assert found.together.shape == (2, 2)


def test_users_that_turn_noise_count_against_their_cluster():
    points = np.array([[0.0]] * 50 + [[1.0]] * 25 + [[-1.0]] * 25)
    labels = np.repeat([0, 1], [50, 50])
    found = stability.measure_stability(points, labels, Fixed(), 2, 0)
    assert found.jaccard == pytest.approx([1.0, 0.5], abs=0.1)
    assert found.together[1, 1] == pytest.approx(0.25, abs=0.1)


def test_too_few_points():
    points = np.eye(3, dtype=np.float32)
    assert stability.measure_stability(points, np.zeros(3, int), Fixed(), 4, 0) is None


def test_same_seed_same_result():
    points = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
    one, two = judged(points, 3, seed=5), judged(points, 3, seed=5)
    assert (one.resampled, one.jaccard) == (two.resampled, two.jaccard)


@pytest.mark.parametrize(
    ("jaccard", "word"),
    [
        (0.9, "highly stable"),
        (0.85, "highly stable"),
        (0.8, "stable"),
        (0.7, "pattern"),
        (0.55, "doubtful"),
        (0.49, "dissolved"),
        (None, "not measured"),
    ],
)
def test_readings(jaccard, word):
    assert stability.reading(jaccard) == word
