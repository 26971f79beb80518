"""Choice of K on planted groups and on data that cannot be clustered."""

import numpy as np
import pytest

from components.sequence_clusterer import selection
from components.sequence_clusterer.config import ClusteringConfig
from trainer.settings import ConfigError


def planted(groups, each, seed=0, spread=0.05):
    rng = np.random.default_rng(seed)
    centres = np.eye(groups, 8, dtype=np.float32)
    points = np.repeat(centres, each, axis=0)
    return (points + rng.normal(0, spread, points.shape)).astype(np.float32)


def test_finds_the_planted_number_of_groups():
    chosen = selection.select_clustering(planted(4, 50), ClusteringConfig(), max_clusters=8)
    assert chosen.clustering.k == 4
    assert chosen.elbow_k == 4
    assert chosen.k_from == "silhouette"
    assert [row.k for row in chosen.by_k] == list(range(1, 9))
    four = chosen.by_k[3]
    assert four.sizes == [50] * 4
    assert four.silhouette_ci[0] <= four.silhouette <= four.silhouette_ci[1]
    assert chosen.by_k[0].silhouette is None
    assert "K=4 has the highest silhouette" in chosen.reason


def test_same_seed_same_clusters():
    points = planted(3, 40, spread=0.6)
    first, second = (
        selection.select_clustering(points, ClusteringConfig(seed=7), 6) for _ in range(2)
    )
    assert first.by_k == second.by_k
    np.testing.assert_array_equal(first.clustering.labels, second.clustering.labels)


def test_prefers_a_k_without_tiny_clusters():
    lonely = np.eye(8, dtype=np.float32)[7:]
    points = np.concatenate([planted(3, 40), lonely])
    free = selection.select_clustering(points, ClusteringConfig(min_cluster_users=1), 4)
    assert free.clustering.sizes == [40, 40, 40, 1]
    chosen = selection.select_clustering(points, ClusteringConfig(min_cluster_users=20), 4)
    assert chosen.clustering.sizes == [41, 40, 40]
    assert "K=4 reaches" in chosen.reason
    assert "its smallest cluster has only 1 user(s)" in chosen.reason


def test_says_so_when_no_k_has_large_enough_clusters():
    chosen = selection.select_clustering(planted(2, 5), ClusteringConfig(), 4)
    assert chosen.clustering.k == 2
    assert "No K gives every cluster min_cluster_users=20 users" in chosen.reason


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (np.ones((1, 4), np.float32), "only one user"),
        (np.ones((30, 4), np.float32), "embeddings of all 30 users are identical"),
        (planted(3, 1), "3 users are too few"),
    ],
)
def test_one_cluster_where_there_is_nothing_to_choose(points, why):
    chosen = selection.select_clustering(points, ClusteringConfig(), 8)
    assert chosen.clustering.k == 1
    assert chosen.clustering.sizes == [len(points)]
    assert why in chosen.reason
    assert chosen.elbow_k == 1


def test_max_clusters_of_one():
    chosen = selection.select_clustering(planted(3, 20), ClusteringConfig(), 1)
    assert chosen.clustering.k == 1
    assert "max_clusters is 1" in chosen.reason


def test_k_from_the_config():
    chosen = selection.select_clustering(planted(4, 30), ClusteringConfig(k=2), 8)
    assert chosen.clustering.k == 2
    assert chosen.k_from == "config"
    assert len(chosen.by_k) == 8  # the curve is still there to compare with


def test_k_above_the_users_is_reduced():
    chosen = selection.select_clustering(planted(3, 1), ClusteringConfig(k=6), 8)
    assert chosen.clustering.k == 3
    assert "clustering.k is 6, but there are only 3 users" in chosen.reason


def test_k_above_the_distinct_embeddings_is_reduced():
    points = np.repeat(np.eye(2, 4, dtype=np.float32), 20, axis=0)
    chosen = selection.select_clustering(points, ClusteringConfig(k=5), 8)
    assert chosen.clustering.k == 2
    assert "only 2 distinct embeddings" in chosen.reason


def test_a_cluster_may_have_one_user():
    points = np.concatenate([planted(1, 30), np.full((1, 8), 5.0, np.float32)])
    chosen = selection.select_clustering(points, ClusteringConfig(k=2), 4)
    assert chosen.clustering.sizes == [30, 1]


def test_k_min_out_of_reach():
    chosen = selection.select_clustering(planted(3, 2), ClusteringConfig(k_min=5), 6)
    assert chosen.clustering.k == 3
    assert "k_min=5 is out of reach with 6 users" in chosen.reason


def test_elbow():
    assert selection.elbow_k([1, 2, 3, 4, 5], [100, 50, 10, 8, 6]) == 3
    assert selection.elbow_k([1, 2], [10, 5]) == 2
    assert selection.elbow_k([1, 2, 3], [0, 0, 0]) == 1
    assert selection.elbow_k([1], [3.0]) == 1


def test_config_against_the_pipeline():
    with pytest.raises(ConfigError, match=r"clustering\.k' is 9.*max_clusters"):
        ClusteringConfig(k=9).check_against(4)
    with pytest.raises(ConfigError, match="k_min"):
        ClusteringConfig(k_min=5).check_against(4)
    with pytest.raises(ConfigError, match="max_clusters"):
        ClusteringConfig().check_against(0)
    ClusteringConfig().check_against(1)


def test_an_algorithm_that_finds_k():
    rng = np.random.default_rng(3)
    points = np.concatenate([planted(4, 50), rng.uniform(-3, 3, (30, 8)).astype(np.float32)])
    config = ClusteringConfig(algorithm="hdbscan", min_cluster_users=20, silhouette_sample=100)
    chosen = selection.select_clustering(points, config, max_clusters=8)
    assert (chosen.k_from, chosen.clustering.k, chosen.elbow_k) == ("algorithm", 4, 4)
    (row,) = chosen.by_k
    assert (row.k, row.sizes) == (4, chosen.clustering.sizes)
    # Noise has no part in it: with it as a cluster the silhouette would be near zero.
    assert row.silhouette_ci[0] <= row.silhouette <= row.silhouette_ci[1]
    assert row.silhouette > 0.8
    assert f"{chosen.clustering.noise} of 230 users are noise" in chosen.reason
    fewer = selection.select_clustering(points, config, max_clusters=2)
    assert fewer.clustering.k == 2
    assert "of 4 clusters the 2 largest are kept" in fewer.reason
