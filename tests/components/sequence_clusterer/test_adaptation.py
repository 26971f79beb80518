"""Clusters that go on from the last run: numbers last, and changes have reasons."""

import numpy as np
import pytest

from components.sequence_clusterer.algorithms import KMeans
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.lasting.adaptation import adapt_clusters
from components.sequence_clusterer.lasting.lasting_ids import KnownClusters, match_clusters

DIM = 8
KMEANS = KMeans(ClusteringConfig())


def centre(axis, scale=1.0):
    return np.eye(DIM)[axis] * scale


def blobs(*groups, spread=0.1, seed=0):
    """(centre, users) -> points."""
    rng = np.random.default_rng(seed)
    points = [np.asarray(c) + rng.normal(0, spread, (n, DIM)) for c, n in groups]
    return np.concatenate(points).astype(np.float32)


def known(*centres, ids=None, separated=True, next_id=None):
    k = len(centres)
    ids = np.arange(k) if ids is None else np.array(ids)
    pairs = np.full((k, k), separated) & ~np.eye(k, dtype=bool)
    above = int(ids.max()) + 1 if next_id is None else next_id
    return KnownClusters(np.array(centres, np.float32), ids, pairs, above)


def adapt(points, old, **settings):
    settings = {"fewest_users": 10, "max_clusters": 6, "seed": 0, **settings}
    return adapt_clusters(points, old, KMEANS, **settings)


def kinds(result):
    return {(change.kind, change.lasting_id) for change in result.changes}


def test_clusters_that_moved_a_little_keep_their_numbers():
    """The sizes have changed, so a fresh clustering would number them the other way round."""
    old = known(centre(0), centre(1), centre(2), ids=[7, 3, 5])
    points = blobs((centre(0, 1.2), 30), (centre(1, 1.1), 60), (centre(2), 90))
    result = adapt(points, old)
    assert result.ids.tolist() == [3, 5, 7]
    assert kinds(result) == {("kept", 3), ("kept", 5), ("kept", 7)}
    assert result.next_id == 8
    labels = result.ids[result.labels]
    assert labels.tolist() == [7] * 30 + [3] * 60 + [5] * 90
    np.testing.assert_allclose(result.centroids[2], centre(0, 1.2), atol=0.1)
    assert "No. 5 goes on as cluster 1 (90 users)." in [change.words for change in result.changes]


def test_a_cluster_without_users_is_retired_and_its_number_never_given_again():
    old = known(centre(0), centre(1), centre(2))
    points = blobs((centre(0), 60), (centre(1), 60), (centre(2), 3))
    result = adapt(points, old)
    assert result.ids.tolist() == [0, 1]
    assert kinds(result) == {("kept", 0), ("kept", 1), ("retired", 2)}
    assert result.next_id == 3
    assert len(result.labels) == 123


def test_a_cluster_that_fell_apart_is_split():
    old = known(centre(0), centre(1))
    points = blobs((centre(0), 60), (centre(1) + centre(4), 70), (centre(1) - centre(4), 50))
    labels = np.repeat([0, 1, 1], [60, 70, 50])
    result = adapt(points, old, old_labels=labels)
    assert result.ids.tolist() == [0, 1, 2]
    assert kinds(result) == {("kept", 0), ("kept", 1), ("split off", 2)}
    # The larger part of the known users keeps the number.
    assert np.bincount(result.labels).tolist() == [60, 70, 50]
    (split,) = [change for change in result.changes if change.kind == "split off"]
    assert split.others == [1]
    assert split.words == "No. 2 (cluster 2, 50 users) split off from no. 1."


def test_new_users_with_new_ways_make_a_new_cluster():
    old = known(centre(0), centre(1))
    points = blobs((centre(0), 60), (centre(1), 60), (centre(5, 2.0), 80))
    labels = np.repeat([0, 1, -1], [60, 60, 80])
    result = adapt(points, old, old_labels=labels)
    assert result.ids.tolist() == [0, 1, 2]
    assert ("created", 2) in kinds(result)
    assert np.bincount(result.labels).tolist() == [60, 60, 80]
    (created,) = [change for change in result.changes if change.kind == "created"]
    assert created.words == "No. 2 is new, as cluster 2: 100% of its 80 users are."


def test_clusters_that_grew_together_are_merged():
    """Both became one heap; the number of the one with more known users stays."""
    old = known(centre(0), centre(1), centre(2))
    middle = (centre(0) + centre(1)) / 2
    points = blobs((middle, 200), (centre(2), 60))
    labels = np.repeat([0, 1, 2], [70, 130, 60])
    result = adapt(points, old, old_labels=labels)
    assert result.ids.tolist() == [1, 2]
    assert kinds(result) == {("merged", 1), ("kept", 2)}
    (merged,) = [change for change in result.changes if change.kind == "merged"]
    assert merged.words.startswith("No. 1 goes on as cluster 0 (200 users), with 130 of its 130")
    assert merged.words.endswith("known users, and took in no. 0.")
    assert (merged.users, merged.before, merged.stayed, merged.others) == (200, 130, 130, [0])


def test_parts_of_a_continuum_are_neither_merged_nor_split():
    points = np.random.default_rng(0).normal(size=(400, DIM)).astype(np.float32)
    old = known(centre(0), centre(1), centre(2), separated=False)
    result = adapt(points, old)
    assert kinds(result) == {("kept", 0), ("kept", 1), ("kept", 2)}


def test_no_split_beyond_the_limits():
    old = known(centre(0), centre(1))
    groups = [(centre(axis), 40) for axis in range(4)]
    assert len(adapt(blobs(*groups), old).ids) == 4
    assert len(adapt(blobs(*groups), old, max_clusters=3).ids) == 3
    assert len(adapt(blobs(*groups), old, fewest_users=70).ids) == 2


def test_a_set_number_of_clusters_only_moves():
    old = known(centre(0), centre(1))
    groups = [(centre(axis), 40) for axis in range(4)]
    assert adapt(blobs(*groups), old, fixed_k=True).ids.tolist() == [0, 1]
    uneven = blobs((centre(0), 60), (centre(1), 3))
    assert adapt(uneven, old, fixed_k=True).ids.tolist() == [0, 1]


def test_same_seed_same_clusters():
    old = known(centre(0), centre(1))
    points = blobs((centre(0), 40), (centre(1), 40), (centre(2), 40))
    one, two = adapt(points, old), adapt(points, old)
    np.testing.assert_array_equal(one.centroids, two.centroids)
    assert one.changes == two.changes


def test_points_that_are_all_the_same():
    result = adapt(np.ones((30, DIM), np.float32), known(centre(0), centre(1)))
    assert len(result.ids) == 1
    assert len(set(result.labels)) == 1


def test_users_decide_which_merged_number_stays_and_distance_where_they_say_nothing():
    old = known(centre(0), centre(1))
    both = [frozenset({0, 1})]
    new = np.array([centre(1, 0.9)], np.float32)
    labels = np.zeros(10, int)
    by_users = match_clusters(old, new, both, np.repeat([0, 1], [7, 3]), labels)
    assert by_users == {0: 0}
    assert match_clusters(old, new, both, np.full(10, -1), labels) == {0: 1}


def test_a_cluster_continues_only_what_it_comes_from():
    """A retired number is not given to the part of another cluster that is free."""
    old = known(centre(0), centre(1))
    parents = [frozenset({0}), frozenset({0})]
    new = np.array([centre(0), centre(1)], np.float32)
    matched = match_clusters(old, new, parents, np.full(4, -1), np.array([0, 0, 1, 1]))
    assert matched == {0: 0}


def test_another_encoder_has_another_space():
    old = known(centre(0), centre(1), centre(2), ids=[4, 6, 9])
    points = blobs((centre(5), 20), (centre(6), 20))
    labels = np.repeat([0, 2], 20)
    carried, renumbered = KnownClusters.carried_over(points, labels, old.ids, old.separated, 10)
    assert carried.ids.tolist() == [4, 9]
    assert renumbered.tolist() == [0] * 20 + [1] * 20
    np.testing.assert_allclose(carried.centroids, [centre(5), centre(6)], atol=0.1)
    assert carried.separated.shape == (2, 2)
    assert carried.next_id == 10


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="width must be the same"):
        adapt(np.zeros((5, 3), np.float32), known(centre(0)))
    with pytest.raises(ValueError, match="more than max_clusters=1"):
        adapt(blobs((centre(0), 5)), known(centre(0), centre(1)), max_clusters=1)
