"""What assigns a point does the same in NumPy and in a graph, and what its source says."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.helpers.assignment_rules import DIM, RULES, WEIGHTS, normal
from trainer.clusters.embedding_space import EmbeddingSpace
from trainer.clusters.gaussian_posterior import GaussianPosterior
from trainer.clusters.nearest_prototype import NearestPrototype


@pytest.fixture(params=RULES)
def rule(request):
    return RULES[request.param]


@pytest.fixture
def points():
    values = normal(300, DIM, seed=9)
    values[0] = 0.0
    values[1] = 1e6
    return values


def test_graph_equals_numpy(rule, points):
    cluster, membership = tf.function(rule.in_graph)(tf.constant(points))
    assert (cluster.dtype, membership.dtype) == (tf.int64, tf.float32)
    expected = rule.assign(points)
    assert expected.dtype == np.int64
    np.testing.assert_array_equal(cluster, expected)
    np.testing.assert_allclose(membership, rule.membership(points), atol=1e-5)


def test_membership_is_that_of_the_assigned_cluster(rule, points):
    cluster, membership = rule.assign(points), rule.membership(points)
    noise = cluster == -1
    np.testing.assert_allclose(membership.sum(axis=1), np.where(noise, 0, 1), atol=1e-5)
    np.testing.assert_array_equal(membership.argmax(axis=1)[~noise], cluster[~noise])
    assert (membership[noise] == 0).all()
    assert noise.any() == (rule is RULES["radii"])
    # A point far from everything is in the wide cluster or in none, never an error.
    assert np.isfinite(membership).all()


def test_survives_its_parts(rule, points):
    again = type(rule).from_parts({**rule.settings(), "kind": rule.kind}, rule.arrays())
    np.testing.assert_array_equal(again.assign(points), rule.assign(points))
    np.testing.assert_array_equal(again.membership(points), rule.membership(points))


def test_new_numbers(rule, points):
    order = [2, 0, 3, 1]
    moved, before = rule.reordered(order), rule.assign(points)
    after = np.where(before == -1, -1, np.argsort(order)[before])
    np.testing.assert_array_equal(moved.assign(points), after)
    np.testing.assert_allclose(
        moved.membership(points), rule.membership(points)[:, order], atol=1e-6
    )


def test_a_cluster_can_be_dropped(rule, points):
    fewer = rule.reordered([1, 3])
    assert fewer.clusters == 2
    assert set(fewer.assign(points)) <= {-1, 0, 1}


def test_distances_to_the_nearest_prototype_of_each_cluster(points):
    rule = RULES["prototypes"]
    points = points[2:]
    distances = ((points[:, None] - rule.prototypes[None]) ** 2).sum(axis=2)
    expected = np.stack([distances[:, rule.owners == k].min(axis=1) for k in range(4)], axis=1)
    np.testing.assert_allclose(rule.squared_distances(points), expected, atol=1e-4)
    np.testing.assert_array_equal(rule.assign(points), expected.argmin(axis=1))


def test_distances_in_parts(points, monkeypatch):
    whole = RULES["prototypes"].squared_distances(points)
    monkeypatch.setattr("trainer.clusters.nearest_prototype._DISTANCES_AT_ONCE", 100)
    np.testing.assert_allclose(RULES["prototypes"].squared_distances(points), whole, rtol=1e-5)


def test_distances_keep_their_digits_far_from_zero():
    """Embeddings of one shop lie close together on the sphere."""
    near = np.float32(1.0) + 1e-3 * normal(50, DIM)
    rule = NearestPrototype.of_groups(near[:3, None], 1e-6)
    exact = ((near[:, None].astype(np.float64) - near[None, :3]) ** 2).sum(axis=2)
    np.testing.assert_allclose(rule.squared_distances(near), exact, rtol=1e-3, atol=1e-11)


def test_the_radius_is_that_of_the_nearest_prototype():
    prototypes = np.array([[[0.0], [10.0]], [[20.0], [21.0]]])
    rule = NearestPrototype.of_groups(prototypes, 1.0, np.array([1.0, 3.0]))
    points = np.array([[0.9], [1.1], [9.5], [11.5], [17.5], [16.5], [23.0]], np.float32)
    assert rule.assign(points).tolist() == [0, -1, 0, -1, 1, -1, 1]


def test_soft_membership_by_hand():
    rule = NearestPrototype.of_groups([[[0.0], [9.0]], [[3.0]]], 2.0)
    share = 1 / (1 + np.exp(-(4 - 1) / 2))  # squared distances 1 and 4
    np.testing.assert_allclose(
        rule.membership(np.array([[1.0]], np.float32)), [[share, 1 - share]], rtol=1e-6
    )


def test_the_temperature_is_the_mean_squared_distance():
    points = np.array([[0.0], [2.0], [10.0], [14.0]], np.float32)
    rule = NearestPrototype.fitted([[[1.0]], [[12.0]]], points)
    assert rule.temperature == pytest.approx((1 + 1 + 4 + 4) / 4)
    assert NearestPrototype.fitted([points[:1]], points[:1]).temperature > 0


@pytest.mark.parametrize("name", ["diagonal", "full"])
def test_the_posterior_is_that_of_the_densities(name, points):
    rule = RULES[name]
    points = points[2:]
    joint = []
    for mean, factor, weight in zip(rule.means, rule.factors, rule.log_weights, strict=True):
        factor = (np.diag(factor) if factor.ndim == 1 else factor).astype(np.float64)
        covariance = np.linalg.inv(factor @ factor.T)
        joint.append(np.exp(weight) * stats.multivariate_normal(mean, covariance).pdf(points))
    expected = np.stack(joint, axis=1)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(rule.membership(points), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NearestPrototype(normal(2, 3), np.array([0, 2]), 1.0), "'owners' does not rise"),
        (lambda: NearestPrototype(normal(2, 3), np.array([1, 1]), 1.0), "'owners' does not rise"),
        (lambda: NearestPrototype(normal(2, 3), np.array([0, 1]), 0.0), "'temperature' is 0.0"),
        (lambda: NearestPrototype(normal(2), np.array([0, 1]), 1.0), "'prototypes' has the shape"),
        (lambda: NearestPrototype.of_groups([[[np.nan]]], 1.0), "'prototypes' has values that are"),
        (lambda: NearestPrototype.of_groups([[[1.0]]], 1.0, [-1.0]), "'radii' has negative"),
        (lambda: NearestPrototype.of_groups([[[1.0]]], 1.0, [1.0, 2.0]), "'radii' has the shape"),
        (
            lambda: GaussianPosterior(normal(2, 3), normal(2, 4), WEIGHTS[:2]),
            "'factors' has the sh",
        ),
        (lambda: GaussianPosterior(normal(1, 2), -np.ones((1, 2)), WEIGHTS[:1]), "not above zero"),
        (lambda: EmbeddingSpace(True, normal(3)), "go together"),
        (lambda: EmbeddingSpace(True, normal(3), normal(2, 4)), "'pca_components' has the shape"),
    ],
)
def test_parts_that_do_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("components", [None, 2])
def test_space_in_graph_equals_numpy(points, normalize, components):
    space = EmbeddingSpace(normalize)
    if components:
        space = EmbeddingSpace(normalize, normal(DIM), normal(components, DIM, seed=2), 0.5)
    expected = space.points(points)
    assert expected.dtype == np.float32
    assert expected.shape == (300, components or DIM)
    np.testing.assert_allclose(space.in_graph(tf.constant(points)), expected, rtol=1e-5, atol=1e-5)
    again = EmbeddingSpace.from_parts(space.settings(), space.arrays())
    np.testing.assert_array_equal(again.points(points), expected)
    assert again.variance == space.variance


def test_normalising_leaves_zero_alone(points):
    normalised = EmbeddingSpace(True).points(points)
    assert not normalised[0].any()
    np.testing.assert_allclose(np.linalg.norm(normalised[1:], axis=1), 1.0, atol=1e-6)
