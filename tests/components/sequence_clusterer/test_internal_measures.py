"""Measures of a clustering: against scikit-learn, by hand, and with noise."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.mixture import GaussianMixture

from components.sequence_clusterer.algorithms import KMeans
from components.sequence_clusterer.choice import gap_statistic as gaps
from components.sequence_clusterer.choice import internal_measures as measures
from components.sequence_clusterer.choice.information_criterion import spherical_bic
from components.sequence_clusterer.config import ClusteringConfig

KMEANS = KMeans(ClusteringConfig())


def planted(groups, each, seed=0, spread=0.1, dim=8):
    rng = np.random.default_rng(seed)
    points = np.repeat(np.eye(groups, dim), each, axis=0)
    labels = np.repeat(np.arange(groups), each)
    return (points + rng.normal(0, spread, points.shape)).astype(np.float32), labels


def with_noise(points, labels):
    """The same points, and far ones that are labelled noise."""
    far = np.full((5, points.shape[1]), 9.0, np.float32)
    return np.concatenate([points, far]), np.concatenate([labels, np.full(5, -1)])


def test_silhouette_of_all_points_is_the_usual_one():
    points, labels = planted(3, 20, spread=0.4)
    found = measures.SilhouetteSample(points, 1_000, seed=0).measure(labels, 3)
    each = metrics.silhouette_samples(points, labels)
    assert found.mean == pytest.approx(each.mean(), abs=1e-5)
    by_cluster = [each[labels == k].mean() for k in range(3)]
    assert found.by_cluster == pytest.approx(by_cluster, abs=1e-5)
    assert found.interval[0] < found.mean < found.interval[1]


def test_spread_of_silhouettes_by_cluster():
    points, labels = planted(3, 20, spread=0.6)
    labels[labels == 2] = -1
    labels = np.where(np.arange(60) < 3, 1, labels)  # three users in the wrong cluster
    found = measures.SilhouetteSample(points, 1_000, seed=0).measure(labels, 3)
    kept = labels >= 0
    each = metrics.silhouette_samples(points[kept], labels[kept])
    wrong = each[labels[kept] == 1]
    spread = found.spread[1]
    assert spread.users == 23
    assert (spread.quantiles[0], spread.quantiles[10], spread.quantiles[-1]) == pytest.approx(
        (wrong.min(), np.median(wrong), wrong.max()), abs=1e-4
    )
    assert spread.below_zero >= 3 / 23
    assert spread.below_zero == pytest.approx((wrong < 0).mean())
    assert len(spread.quantiles) == 21
    assert (found.spread[2], found.by_cluster[2]) == (None, None)


def test_silhouette_interval_narrows_with_users():
    def width(each):
        points, labels = planted(3, each, spread=0.4)
        found = measures.SilhouetteSample(points, 10_000, seed=0).measure(labels, 3)
        return found.interval[1] - found.interval[0]

    assert width(400) == pytest.approx(width(100) / 2, rel=0.3)


def test_silhouette_uses_no_more_than_the_sample():
    points, labels = planted(2, 200)
    sample = measures.SilhouetteSample(points, 50, seed=0)
    assert sample._distances.shape == (50, 50)
    assert sample.measure(labels, 2).mean > 0.5


def test_noise_is_left_out_of_every_measure():
    points, labels = planted(3, 20, spread=0.3)
    noisy, marked = with_noise(points, labels)
    clean = measures.SilhouetteSample(points, 1_000, 0).measure(labels, 3)
    assert measures.SilhouetteSample(noisy, 1_000, 0).measure(marked, 3).mean == pytest.approx(
        clean.mean, abs=1e-5
    )
    for measure in (
        measures.davies_bouldin,
        measures.calinski_harabasz,
        measures.dispersion_within,
    ):
        assert measure(noisy, marked) == pytest.approx(measure(points, labels), rel=1e-5)
    assert spherical_bic(noisy, marked, 3) == pytest.approx(spherical_bic(points, labels, 3))
    assert measures.sizes_of(marked, 3) == [20, 20, 20]


def test_measures_of_one_cluster_or_of_single_points_are_undefined():
    points, _ = planted(2, 3)
    for labels in (np.zeros(6, int), np.arange(6), np.full(6, -1)):
        assert measures.davies_bouldin(points, labels) is None
        assert measures.calinski_harabasz(points, labels) is None
        assert measures.SilhouetteSample(points, 10, 0).measure(labels, 6).mean is None
    assert measures.calinski_harabasz(np.eye(2)[[0, 0, 1, 1]], np.array([0, 0, 1, 1])) is None


def test_davies_bouldin_and_calinski_harabasz_by_hand():
    points, labels = np.array([[0.0], [2.0], [10.0], [12.0]]), np.array([0, 0, 1, 1])
    # Each point is 1 from its centroid, the centroids are 10 apart.
    assert measures.davies_bouldin(points, labels) == pytest.approx((1 + 1) / 10)
    # Between: 4 x 5^2 / 1; within: 4 x 1 / 2.
    assert measures.calinski_harabasz(points, labels) == pytest.approx(100 / 2)


def test_elbow():
    assert measures.elbow_k([1, 2, 3, 4, 5], [100, 50, 10, 8, 6]) == 3
    assert measures.elbow_k([1, 2], [10, 5]) == 2
    assert measures.elbow_k([1, 2, 3], [0, 0, 0]) == 1
    assert measures.elbow_k([1], [3.0]) == 1


def test_count_distinct():
    points = np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 1.0], [2.0, 1.0 + 1e-7]])
    assert measures.count_distinct(points, 9) == 2
    assert measures.count_distinct(np.arange(100.0)[:, np.newaxis], 7) == 7


def test_bic_of_one_cluster_is_that_of_a_spherical_gaussian():
    points, _ = planted(1, 300, spread=0.7)
    model = GaussianMixture(1, covariance_type="spherical").fit(points)
    # The paper's variance is the unbiased one, scikit-learn's the maximum likelihood's.
    own = spherical_bic(points, np.zeros(300, int), 1)
    assert own == pytest.approx(model.bic(points), rel=1e-3)


def test_bic_is_lowest_at_the_planted_number():
    points, _ = planted(4, 100, spread=0.2)
    values = {k: spherical_bic(points, KMEANS.fit(points, k, 0).labels, k) for k in range(1, 8)}
    assert min(values, key=values.get) == 4


def test_bic_without_variance():
    assert spherical_bic(np.ones((5, 2)), np.zeros(5, int), 1) is None
    assert spherical_bic(np.eye(3), np.arange(3), 3) is None


def test_gap_statistic_finds_the_planted_number():
    points, _ = planted(4, 60)
    curve = gaps.gap_statistic(points, KMEANS, range(1, 7), seed=0)
    assert [gap.k for gap in curve] == [1, 2, 3, 4, 5, 6]
    assert all(gap.error > 0 for gap in curve)
    assert gaps.gap_k(curve) == 4


def test_gap_statistic_prefers_one_cluster_of_a_round_cloud():
    points = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    assert gaps.gap_k(gaps.gap_statistic(points, KMEANS, range(1, 6), seed=0)) == 1


def test_gap_of_what_does_not_compare():
    points = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    assert gaps.gap_statistic(points, KMEANS, range(1, 4), seed=0) == []  # W_3 is zero
    assert gaps.gap_k([]) is None


def test_gap_rule_allows_one_standard_error():
    curve = [gaps.Gap(1, 0.50, 0.1), gaps.Gap(2, 0.55, 0.1), gaps.Gap(3, 0.9, 0.1)]
    assert gaps.gap_k(curve) == 1
    assert gaps.gap_k([gaps.Gap(1, 0.1, 0.0), gaps.Gap(2, 0.5, 0.1)]) == 2
