"""Valleys between clusters: found between planted groups, not in clouds of one piece."""

import numpy as np
import pytest

from components.sequence_clusterer.algorithms import KMeans
from components.sequence_clusterer.choice.separation import Separation, measure_separation
from components.sequence_clusterer.config import ClusteringConfig

pytestmark = pytest.mark.slow

DIM = 32
LEVEL = 0.01


def judged(points, k, seed=0):
    algorithm = KMeans(ClusteringConfig())
    points = points.astype(np.float32)

    def fit(half):
        return algorithm.fit(half, k, seed).centroids

    return measure_separation(points, fit, fit(points), seed)


def groups_at(distance, count, n=1_500, seed=0):
    """Gaussian groups whose centres are `distance` standard deviations apart."""
    rng = np.random.default_rng(seed)
    centres = np.eye(count, DIM) * distance / np.sqrt(2)
    return rng.normal(size=(n, DIM)) + centres[rng.integers(0, count, n)]


def gaussian(rng, n):
    return rng.normal(size=(n, DIM))


def long(rng, n):
    return rng.normal(size=(n, DIM)) * np.geomspace(5, 0.2, DIM)


def plate(rng, n):
    points = rng.normal(size=(n, DIM)) * 0.05
    points[:, :2] = rng.uniform(-1, 1, (n, 2))
    return points


def topics(rng, n):
    return rng.dirichlet(np.ones(5), n) @ rng.normal(size=(5, DIM))


@pytest.mark.parametrize("cloud", [gaussian, long, plate, topics])
@pytest.mark.parametrize("k", [2, 5])
def test_a_cloud_of_one_piece_has_no_groups(cloud, k):
    for seed in range(3):
        points = cloud(np.random.default_rng(seed), 800)
        assert judged(points, k, seed).groups(LEVEL) == 1


@pytest.mark.parametrize("cloud", [gaussian, long, plate, topics])
def test_in_a_cloud_of_one_piece_distant_parts_are_not_separated_either(cloud):
    """Between two parts lie others: looking at the users of the two only would show a gap."""
    points = cloud(np.random.default_rng(0), 2_000)
    assert not judged(points, 7).separated(LEVEL).any()


def test_few_points_of_many_dimensions_do_not_look_split():
    """Any direction that was fitted to them would show two heaps."""
    points = np.random.default_rng(0).normal(size=(60, 200))
    assert judged(points, 2).ratios[0, 1] > 0.8


def test_planted_groups_are_separated_each_from_each():
    found = judged(groups_at(6, 4), 4)
    assert found.groups(LEVEL) == 4
    assert found.separated(LEVEL).sum() == 12
    assert (found.ratios[~np.eye(4, dtype=bool)] < 0.6).all()


def test_halves_may_number_their_clusters_differently():
    """The pairs are those of the clustering that is judged, in its order."""
    points = groups_at(6, 3).astype(np.float32)
    algorithm = KMeans(ClusteringConfig())
    centroids = algorithm.fit(points, 3, 0).centroids

    def measured(shifts):
        def fit(half):
            found = algorithm.fit(half, 3, 0).centroids
            nearest = ((centroids[:, np.newaxis] - found) ** 2).sum(axis=2).argmin(axis=1)
            return np.roll(found[nearest], shifts.pop(), axis=0)

        return measure_separation(points, fit, centroids, seed=0)

    np.testing.assert_allclose(measured([1, 2]).ratios, measured([0, 0]).ratios)


def test_parts_of_one_group_are_joined():
    """Five clusters of four groups: one is cut in two, between which there is no valley."""
    found = judged(groups_at(7, 4), 5)
    assert found.groups(LEVEL) == 4
    assert (~found.separated(LEVEL)).sum() == 5 + 2


def test_near_groups_count_as_one():
    """Two Gaussians less than two standard deviations apart have one peak."""
    assert judged(groups_at(1.8, 2), 2).groups(LEVEL) == 1
    assert judged(groups_at(4, 2), 2).groups(LEVEL) == 2


def test_the_depth_that_is_asked_for_lies_where_it_is_said():
    """Two Gaussians 2.7 standard deviations apart: a ratio of about .8 for many users."""
    ratio = judged(groups_at(2.7, 2, n=40_000), 2).ratios[0, 1]
    assert ratio == pytest.approx(0.8, abs=0.06)


def test_a_small_group_beside_a_large_one():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1_000, DIM))
    points[:80, 0] += 8
    assert judged(points, 2).groups(LEVEL) == 2


def test_groups_without_any_spread():
    points = np.repeat(np.eye(3, 8, dtype=np.float32), 40, axis=0)
    assert judged(points, 3).groups(LEVEL) == 3


def test_few_users_are_no_evidence():
    assert judged(np.repeat(np.eye(2, 8), 7, axis=0), 2).groups(LEVEL) == 1


def test_what_cannot_be_tested():
    assert judged(np.repeat(np.eye(2, 8), 10, axis=0), 1) is None
    few = np.eye(3, dtype=np.float32)

    def three(half):
        return few

    assert measure_separation(few, three, few, seed=0) is None  # a half has no three points
    many = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)

    def two(half):
        return few[:2]

    assert measure_separation(many, two, few, seed=0) is None  # the halves give another number


def test_groups_of_a_chain():
    """0 and 2 are separated, but both run into 1."""
    p_values = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])
    assert Separation(np.ones((3, 3)), p_values).groups(0.05) == 1
