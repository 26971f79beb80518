"""Every algorithm finds planted groups, and its rule says what it says."""

from __future__ import annotations

import typing

import numpy as np
import pytest
from sklearn import metrics, mixture

from components.sequence_clusterer.algorithms import ALGORITHMS, Clustering, make_algorithm
from components.sequence_clusterer.algorithms.density import eps_at_knee, keep_largest
from components.sequence_clusterer.algorithms.prototypes import compressed, separating_radii
from components.sequence_clusterer.config import ClusteringConfig
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.settings import ConfigError

TAKE_K = [name for name, algorithm in ALGORITHMS.items() if not algorithm.finds_k]
FIND_K = [name for name, algorithm in ALGORITHMS.items() if algorithm.finds_k]
SIZES = (90, 60, 50)


def planted(noise=0, spread=0.05, seed=0):
    """Groups of `SIZES` around corners of a cube, and points anywhere in a larger one."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(3), SIZES)
    points = np.eye(3, 8)[truth] + rng.normal(0, spread, (len(truth), 8))
    far = rng.uniform(-3, 3, (noise, 8))
    points = np.concatenate([points, far]).astype(np.float32)
    return points, np.concatenate([truth, np.full(noise, -1)])


def fit(name, points, k=3, seed=0, **settings):
    config = ClusteringConfig.from_dict({"algorithm": name, "min_samples": 5, **settings})
    return make_algorithm(config).fit(points, k, seed)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_recovers_planted_groups(name):
    points, truth = planted()
    fitted = fit(name, points)
    assert fitted.k == 3
    inside = fitted.labels >= 0
    np.testing.assert_array_equal(fitted.labels[inside], truth[inside])  # the largest is number 0
    assert inside.mean() >= (1.0 if name in TAKE_K else 0.9)
    assert fitted.rule_agreement >= 0.99
    assert fitted.sizes == [int((fitted.labels == k).sum()) for k in range(3)]
    assert fitted.noise == (fitted.labels == -1).sum()
    np.testing.assert_allclose(
        fitted.centroids, [points[fitted.labels == k].mean(axis=0) for k in range(3)], atol=1e-6
    )
    residuals = points[inside] - fitted.centroids[fitted.labels[inside]]
    assert fitted.inertia == pytest.approx((residuals**2).sum(), rel=1e-4)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_labels_are_those_of_the_rule(name):
    points, _ = planted(noise=30, spread=0.3)
    fitted = fit(name, points)
    np.testing.assert_array_equal(fitted.labels, fitted.rule.assign(points))
    np.testing.assert_array_equal(fitted.labels, fitted.assign(points))
    assert 0.7 < fitted.rule_agreement <= 1.0


@pytest.mark.parametrize("name", FIND_K)
def test_far_users_are_noise(name):
    points, truth = planted(noise=40)
    fitted = fit(name, points, k=8)
    assert fitted.k == 3
    assert (fitted.labels[truth == -1] == -1).mean() > 0.95
    assert metrics.adjusted_rand_score(truth, fitted.labels) > 0.9
    fresh, where = planted(noise=40, seed=1)
    assert (fitted.assign(fresh) == where).mean() > 0.9


@pytest.mark.parametrize("name", FIND_K)
def test_the_largest_are_kept(name):
    points, truth = planted()
    fitted = fit(name, points, k=2)
    assert fitted.k == 2
    assert (fitted.labels[truth == 2] == -1).all()
    assert "of 3 clusters the 2 largest are kept" in fitted.note


@pytest.mark.parametrize("name", FIND_K)
def test_nothing_dense_is_one_cluster(name):
    points = np.random.default_rng(0).uniform(-1, 1, (60, 8)).astype(np.float32)
    fitted = fit(name, points, eps=1e-3, min_cluster_size=30)
    assert (fitted.k, fitted.sizes, fitted.noise) == (1, [60], 0)
    assert fitted.rule_agreement == 0.0
    assert "no region denser than the rest" in fitted.note


@pytest.mark.parametrize("name", ALGORITHMS)
def test_same_seed_same_clusters(name):
    points, _ = planted(noise=10, spread=0.3)
    one, two = (fit(name, points, seed=4, pairwise_sample=100) for _ in range(2))
    np.testing.assert_array_equal(one.labels, two.labels)
    for left, right in zip(one.rule.arrays().values(), two.rule.arrays().values(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("name", ["agglomerative", *FIND_K])
def test_fitted_on_a_sample_assigns_everybody(name, monkeypatch):
    points, truth = planted()
    points, truth = np.tile(points, (5, 1)), np.tile(truth, 5)
    seen = []
    own = Clustering.of.__func__
    monkeypatch.setattr(
        Clustering,
        "of",
        classmethod(lambda c, *a, **s: (seen.append(len(a[2])), own(c, *a, **s))[1]),
    )
    fitted = fit(name, points, pairwise_sample=150, min_cluster_size=15)
    assert seen == [150]
    assert len(fitted.labels) == 1000
    assert (fitted.labels == truth).mean() > 0.9


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize(
    "points",
    [
        np.ones((1, 4), np.float32),
        np.ones((40, 4), np.float32),
        np.zeros((40, 4), np.float32),
        np.eye(2, 4, dtype=np.float32),
    ],
    ids=["one", "identical", "zero", "two"],
)
def test_hardly_any_points(name, points):
    fitted = fit(name, points, k=1)
    assert fitted.k == 1
    assert fitted.sizes == [len(points)]
    membership = fitted.rule.membership(points)
    np.testing.assert_allclose(membership, 1.0)


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_mixture_posterior_is_scikit_learns(kind):
    points, _ = planted(spread=0.4)
    fitted = fit("gaussian_mixture", points, covariance_type=kind, restarts=1)
    model = mixture.GaussianMixture(
        3, covariance_type=kind, random_state=0, max_iter=200, reg_covar=1e-3 * points.var(0).mean()
    ).fit(points.astype(np.float64))
    by_size = np.argsort(-np.bincount(model.predict(points)), kind="stable")
    expected = model.predict_proba(points)[:, by_size]
    np.testing.assert_allclose(fitted.rule.membership(points), expected, atol=2e-3)
    assert fitted.bic == pytest.approx(model.bic(points), rel=1e-3)


def test_a_component_does_not_shrink_onto_one_point():
    points = np.concatenate([planted()[0], np.full((1, 8), 9.0, np.float32)])
    fitted = fit("gaussian_mixture", points, k=4, covariance_type="full")
    assert np.isfinite(fitted.rule.membership(points)).all()
    assert fitted.k == 4


def test_several_prototypes_follow_long_clusters():
    """Two long rows side by side: the nearest centroid would cut them across."""
    rng = np.random.default_rng(0)
    row = np.stack([rng.uniform(0, 20, 200), rng.normal(0, 0.1, 200)], axis=1)
    points = np.concatenate([row, row[:150] + [15.0, 2.0]]).astype(np.float32)
    fitted = fit("agglomerative", points, k=2, linkage="average")
    single = NearestPrototype.of_groups(fitted.centroids[:, None], 1.0)
    assert fitted.rule_agreement > 0.98
    assert len(fitted.rule.prototypes) == 64
    assert (single.assign(points) == fitted.labels).mean() < fitted.rule_agreement


def test_compressed_covers_the_points():
    points, _truth = planted()
    assert compressed(points, 200, 0) is points
    few = compressed(points, 12, 0)
    assert len(few) == 12
    distances = metrics.pairwise_distances(points, few).min(axis=1)
    assert distances.max() < 0.4  # the groups are 1.4 apart


def test_radii_separate_members_from_noise():
    groups = [np.array([[0.0]]), np.array([[10.0]]), np.array([[50.0]])]
    points = np.array([[0.0], [1.0], [3.0], [4.0], [9.0], [12.0], [14.0]], np.float32)
    labels = np.array([0, 0, -1, 0, 1, 1, -1])
    # Cluster 0: 1 and 4 make one error each, the larger is taken; nothing lies beyond it.
    np.testing.assert_allclose(
        separating_radii(groups, points, labels), [4.002, 3.0, 0.0], rtol=1e-6
    )


def test_eps_at_the_knee_of_the_curve():
    line = np.concatenate([np.arange(100) * 0.1, [100.0, 200.0]])[:, None].astype(np.float32)
    assert eps_at_knee(line, 2) == pytest.approx(0.1, abs=1e-4)
    assert eps_at_knee(np.ones((5, 2), np.float32), 3) > 0


def test_keeping_the_largest():
    labels, found = keep_largest(np.array([2, 2, 0, -1, 1, 1, 1, -1]), 2)
    assert labels.tolist() == [1, 1, -1, -1, 0, 0, 0, -1]
    assert found == 3
    labels, found = keep_largest(np.array([-1, -1]), 2)
    assert (labels.tolist(), found) == ([-1, -1], 0)


def test_empty_clusters_are_left_out():
    points = np.array([[0.0], [1.0], [1.0]], np.float32)
    rule = NearestPrototype.of_groups([[[5.0]], [[0.0]], [[1.0]]], 1.0)
    fitted = Clustering.of(points, rule, points, np.array([1, 2, 0]))
    assert fitted.centroids.tolist() == [[1.0], [0.0]]
    assert fitted.labels.tolist() == [1, 0, 0]
    assert (fitted.inertia, fitted.rule_agreement) == (0.0, pytest.approx(2 / 3))


def test_every_algorithm_of_the_config_exists():
    names = typing.get_args(ClusteringConfig.model_fields["algorithm"].annotation)
    assert set(names) == set(ALGORITHMS)


@pytest.mark.parametrize("name", FIND_K)
def test_k_cannot_be_asked_for(name):
    with pytest.raises(ConfigError, match=f"{name} finds the number of clusters itself, so k=3"):
        ClusteringConfig.from_dict({"algorithm": name, "k": 3})
    assert {"dbscan", "hdbscan"} == set(FIND_K)
