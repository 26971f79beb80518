"""Choice of K on planted groups and on data that cannot be clustered."""

import json

import numpy as np
import pytest

from components.sequence_clusterer.choice import selection
from components.sequence_clusterer.config import ClusteringConfig
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow


def settings(**values):
    """Two restarts instead of five, because these clouds are easy."""
    return ClusteringConfig(restarts=2, **values)


def planted(groups, each, seed=0, spread=0.05):
    rng = np.random.default_rng(seed)
    centres = np.eye(groups, 8, dtype=np.float32)
    points = np.repeat(centres, each, axis=0)
    return (points + rng.normal(0, spread, points.shape)).astype(np.float32)


def test_finds_the_planted_number_of_groups():
    chosen = selection.select_clustering(planted(4, 50), settings(), max_clusters=8)
    assert chosen.clustering.k == 4
    assert chosen.elbow_k == 4
    assert chosen.k_from == "separation"
    assert chosen.decision.clusters_found is True
    assert [row.k for row in chosen.by_k] == list(range(1, 9))
    four = chosen.by_k[3]
    assert four.sizes == [50] * 4
    assert four.silhouette.interval[0] <= four.silhouette.mean <= four.silhouette.interval[1]
    assert chosen.by_k[0].silhouette.mean is None
    assert "between every two of the 4 clusters there is a valley" in chosen.reason


def continuum(users=400, seed=0):
    return np.random.default_rng(seed).normal(size=(users, 8)).astype(np.float32)


def test_says_that_there_are_no_clusters_and_cuts_all_the_same():
    chosen = selection.select_clustering(continuum(), settings(), max_clusters=4)
    assert chosen.decision.clusters_found is False
    assert chosen.k_from == "silhouette"
    highest = max(chosen.by_k[1:], key=lambda row: row.silhouette.mean)
    assert chosen.clustering.k == highest.k > 1
    assert chosen.reason.startswith("No clusters found: with no K=2 to 4")
    assert f"K={highest.k} has the highest silhouette" in chosen.reason


def test_one_cluster_where_there_are_none_if_asked_for():
    config = settings(without_clusters="one")
    chosen = selection.select_clustering(continuum(), config, max_clusters=4)
    assert chosen.clustering.k == 1
    assert chosen.decision.clusters_found is False
    assert "as clustering.without_clusters asks for" in chosen.reason
    assert len(chosen.by_k) == 4
    found = selection.select_clustering(planted(3, 50), config, max_clusters=4)
    assert found.clustering.k == 3


def test_silhouette_decides_alone_if_asked_for():
    config = settings(choose="silhouette")
    chosen = selection.select_clustering(planted(4, 50), config, max_clusters=6)
    assert (chosen.clustering.k, chosen.k_from) == (4, "silhouette")
    assert chosen.reason.startswith("K=4 has the highest silhouette")
    assert chosen.decision.clusters_found is True
    cut = selection.select_clustering(continuum(), config, max_clusters=3)
    assert cut.clustering.k > 1
    assert cut.decision.clusters_found is False


def test_a_set_k_says_whether_it_cuts_through_a_continuum():
    cut = selection.select_clustering(continuum(), settings(k=3), max_clusters=4)
    assert cut.decision.clusters_found is False
    assert "No clusters found at K=3" in cut.reason
    found = selection.select_clustering(planted(4, 50), settings(k=4), max_clusters=4)
    assert found.decision.clusters_found is True


def test_a_group_in_two_parts_counts_once():
    """More clusters than groups: the fewest clusters that show all groups are taken."""
    rng = np.random.default_rng(0)
    long = (
        np.eye(8)[2] + rng.normal(0, 0.05, (150, 8)) + np.eye(8)[3] * rng.normal(0, 0.4, (150, 1))
    )
    points = np.concatenate([planted(2, 60), long]).astype(np.float32)
    chosen = selection.select_clustering(points, settings(k_min=4), max_clusters=6)
    assert chosen.clustering.k == 4
    assert "into 3 groups, of which the 4 clusters are parts" in chosen.reason


def test_the_table_as_json():
    chosen = selection.select_clustering(planted(3, 40), settings(), max_clusters=4)
    values = json.loads(json.dumps(chosen.to_record().to_json(), allow_nan=False))
    assert values["chosen_k"] == 3
    assert values["clusters_found"] is True
    assert values["gap_k"] == 3
    assert [row["k"] for row in values["by_k"]] == [1, 2, 3, 4]
    assert set(values["by_k"][0]) == {"k", "silhouette", "silhouette_ci", "inertia", "sizes"}
    one, _, three, _ = values["candidates"]
    assert one["separation"] is None
    assert one["stability"] is None
    assert three["separation"]["groups"] == 3
    assert three["stability"]["readings"] == ["highly stable"] * 3
    assert three["stability"]["together"][0][1] == 0.0
    assert len(three["silhouette_by_cluster"]) == 3
    assert three["smallest_cluster"] == 40
    assert values["stability"] == three["stability"]
    assert [spread["users"] for spread in values["silhouette_spread"]] == [40] * 3
    assert [len(spread["quantiles"]) for spread in values["silhouette_spread"]] == [21] * 3
    assert "silhouette_spread" not in three  # for the chosen one only: the file stays small
    measures = {"davies_bouldin", "calinski_harabasz", "bic", "gap", "gap_error", "inertia"}
    assert all(isinstance(three[name], float) for name in measures)


def test_compares_algorithms():
    config = settings(algorithms=("dbscan", "kmeans"), eps=1e-6)
    chosen = selection.select_clustering(planted(3, 50), config, max_clusters=4)
    assert chosen.algorithm == "kmeans"
    assert chosen.clustering.k == 3
    tried = [(row.algorithm, row.k) for row in chosen.table.candidates]
    assert tried == [("dbscan", 1)] + [("kmeans", k) for k in (1, 2, 3, 4)]
    assert [row.k for row in chosen.by_k] == [1, 2, 3, 4]
    assert {row.algorithm for row in chosen.to_record().candidates} == {"dbscan", "kmeans"}


def test_of_a_set_k_the_better_algorithm_is_taken():
    # Two long parallel clouds: k-means cuts them across.
    rng = np.random.default_rng(0)
    points = np.stack([rng.normal(0, 4, 400), np.repeat([-1.0, 1.0], 200)], axis=1)
    points[:, 1] += rng.normal(0, 0.1, 400)
    names = ("kmeans", "agglomerative")
    config = settings(algorithms=names, k=2, normalize=False)
    chosen = selection.select_clustering(points.astype(np.float32), config, max_clusters=3)
    rows = {row.algorithm: row for row in chosen.table.candidates if row.k == 2}
    best = max(rows, key=lambda name: rows[name].silhouette.mean)
    assert set(rows) == set(names)
    assert (chosen.algorithm, chosen.clustering.k) == (best, 2)


def test_a_set_k_bounds_an_algorithm_that_finds_its_own():
    config = settings(algorithms=("hdbscan", "kmeans"), k=3)
    chosen = selection.select_clustering(planted(3, 50), config, max_clusters=4)
    assert chosen.clustering.k == 3
    assert chosen.k_from == "config"


def test_same_seed_same_clusters():
    points = planted(3, 40, spread=0.6)
    first, second = (selection.select_clustering(points, settings(seed=7), 6) for _ in range(2))
    assert first.to_record() == second.to_record()
    np.testing.assert_array_equal(first.clustering.labels, second.clustering.labels)


def test_prefers_a_k_without_tiny_clusters():
    lonely = np.eye(8, dtype=np.float32)[7:]
    points = np.concatenate([planted(3, 40), lonely])
    config = settings(min_cluster_users=1, choose="silhouette")
    free = selection.select_clustering(points, config, 4)
    assert free.clustering.sizes == [40, 40, 40, 1]
    chosen = selection.select_clustering(points, settings(min_cluster_users=20), 4)
    assert chosen.clustering.sizes == [41, 40, 40]
    config = settings(min_cluster_users=20, choose="silhouette")
    chosen = selection.select_clustering(points, config, 4)
    assert chosen.clustering.sizes == [41, 40, 40]
    assert "K=4 reaches" in chosen.reason
    assert "its smallest cluster has only 1 user(s)" in chosen.reason


def test_says_so_when_no_k_has_large_enough_clusters():
    chosen = selection.select_clustering(planted(2, 5), settings(), 4)
    assert chosen.clustering.k == 2
    assert "No K gives every cluster min_cluster_users=20 users" in chosen.reason


def test_says_so_when_the_groups_that_were_found_are_small():
    chosen = selection.select_clustering(planted(2, 18), settings(), 2)
    assert chosen.clustering.k == 2
    assert chosen.k_from == "separation"
    assert "No such K gives every cluster min_cluster_users=20 users" in chosen.reason


def test_too_few_users_to_test():
    points = np.eye(2, 8, dtype=np.float32)[[0, 0, 0, 1]]  # a half has one distinct user
    chosen = selection.select_clustering(points, settings(), 2)
    assert chosen.decision.clusters_found is None
    assert "could not be tested" in chosen.reason


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (np.ones((1, 4), np.float32), "only one user"),
        (np.ones((30, 4), np.float32), "embeddings of all 30 users are identical"),
        (planted(3, 1), "3 users are too few"),
    ],
)
def test_one_cluster_where_there_is_nothing_to_choose(points, why):
    chosen = selection.select_clustering(points, settings(), 8)
    assert chosen.clustering.k == 1
    assert chosen.clustering.sizes == [len(points)]
    assert why in chosen.reason
    assert chosen.elbow_k == 1


def test_max_clusters_of_one():
    chosen = selection.select_clustering(planted(3, 20), settings(), 1)
    assert chosen.clustering.k == 1
    assert "max_clusters is 1" in chosen.reason


def test_k_from_the_config():
    chosen = selection.select_clustering(planted(4, 30), settings(k=2), 8)
    assert chosen.clustering.k == 2
    assert chosen.k_from == "config"
    assert len(chosen.by_k) == 8  # the curve is still there to compare with


def test_k_above_the_users_is_reduced():
    chosen = selection.select_clustering(planted(3, 1), settings(k=6), 8)
    assert chosen.clustering.k == 3
    assert "clustering.k is 6, but there are only 3 users" in chosen.reason


def test_k_above_the_distinct_embeddings_is_reduced():
    points = np.repeat(np.eye(2, 4, dtype=np.float32), 20, axis=0)
    chosen = selection.select_clustering(points, settings(k=5), 8)
    assert chosen.clustering.k == 2
    assert "only 2 distinct embeddings" in chosen.reason


def test_a_cluster_may_have_one_user():
    points = np.concatenate([planted(1, 30), np.full((1, 8), 5.0, np.float32)])
    chosen = selection.select_clustering(points, settings(k=2), 4)
    assert chosen.clustering.sizes == [30, 1]


def test_k_min_out_of_reach():
    chosen = selection.select_clustering(planted(3, 2), settings(k_min=5), 6)
    assert chosen.clustering.k == 3
    assert "k_min=5 is out of reach with 6 users" in chosen.reason


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
    assert chosen.clustering.k == 4
    assert [row.k for row in chosen.by_k] == [1, 4]
    row = chosen.by_k[1]
    assert row.sizes == chosen.clustering.sizes
    # Noise has no part in it: with it as a cluster the silhouette would be near zero.
    assert row.silhouette.mean > 0.8
    assert f"{chosen.clustering.noise} of 230 users are noise" in chosen.reason
    fewer = selection.select_clustering(points, config, max_clusters=2)
    assert fewer.clustering.k == 2
    assert "of 4 clusters the 2 largest are kept" in fewer.reason
