"""The control of clustering: parts by chance, as large as the clusters and mixed as softly."""

from __future__ import annotations

import numpy as np

from components.cluster_combiner.controls import random_membership
from components.sequence_clusterer.assignment.random_partition import RandomPartition
from components.sequence_clusterer.sample.fit_sample import history_hash
from tests.helpers.raw_histories import raw_history


def user(number: int) -> bytes:
    return raw_history(user_id=[f"user {number}"])


def test_parts_are_as_large_as_the_clusters_and_follow_the_user():
    partition = RandomPartition([50, 30, 20], seed=4)
    parts = np.array([partition.part_of(user(i)) for i in range(4000)])
    np.testing.assert_allclose(np.bincount(parts) / len(parts), [0.5, 0.3, 0.2], atol=0.03)
    assert partition.part_of(raw_history(user_id=["user 7"], item_ids=["a", "b"])) == parts[7]
    assert RandomPartition([7], seed=4).part_of(user(1)) == 0
    # The fit sample has the users of the smallest hashes: the partition must not be its own.
    hashes = np.array([history_hash(user(i), 4) for i in range(4000)])
    sample = parts[np.argsort(hashes)[:1000]]
    np.testing.assert_allclose(np.bincount(sample) / 1000, [0.5, 0.3, 0.2], atol=0.05)


def test_memberships_are_those_of_the_cluster_with_the_number_of_the_part():
    rng = np.random.default_rng(1)
    clusters = np.repeat([0, 1], 500)
    membership = np.where(clusters[:, None] == [0, 1], 0.8, 0.2).astype(np.float32)
    membership[:, 0] += rng.uniform(-0.1, 0.1, 1000)
    membership[:, 1] = 1 - membership[:, 0]
    parts = rng.permutation(clusters)
    drawn = random_membership(parts, clusters, membership, seed=2)
    assert (drawn.argmax(axis=1) == parts).all()
    for k in (0, 1):
        mine, real = drawn[parts == k], membership[clusters == k]
        assert {tuple(row) for row in mine} <= {tuple(row) for row in real}
        np.testing.assert_allclose(mine.mean(axis=0), real.mean(axis=0), atol=0.02)
    assert (random_membership(parts, clusters, membership, seed=2) == drawn).all()


def test_noise_is_in_no_part():
    drawn = random_membership(
        np.array([0, -1]), np.array([0, -1]), np.array([[1, 0], [0, 0]], np.float32), seed=0
    )
    np.testing.assert_array_equal(drawn, [[1, 0], [0, 0]])


def test_a_part_whose_cluster_has_no_user_is_not_mixed():
    membership = np.full((4, 2), 0.5, np.float32)
    drawn = random_membership(np.array([0, 0, 1, 1]), np.array([0, 0, 0, -1]), membership, seed=0)
    np.testing.assert_array_equal(drawn, [[0.5, 0.5], [0.5, 0.5], [0, 1], [0, 1]])
