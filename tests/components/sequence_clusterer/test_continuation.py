"""Clusters of a run whose encoder was trained anew: found again by users, or said not to be."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ortho_group
from sklearn.cluster import KMeans as LloydKMeans

from components.sequence_clusterer.choice.selection import select_clustering
from components.sequence_clusterer.choice.separation import measure_separation
from components.sequence_clusterer.lasting.continuation import continue_clusters
from components.sequence_clusterer.lasting.last_clusters import clustering_settings
from tests.helpers.continuations import CONFIG, DIM, go_on, last_run, points_of, users_named


def kinds(result):
    return {(change.kind, change.lasting_id) for change in result.changes}


def test_the_first_run_numbers_from_zero():
    result = go_on([(0, 60), (1, 40)], users_named("u", 100), None)
    assert (result.how, result.ids.tolist(), result.next_id) == ("first", [0, 1], 2)
    assert result.to_record().to_json() == {"ids": [0, 1], "how": "first", "reason": ""}
    assert result.in_words() == []
    assert result.last_name(0) is None


def test_the_same_users_elsewhere_keep_their_numbers_and_new_ones_join():
    """The larger cluster is no. 7, so that its index is not what its size would give."""
    old = {3: users_named("a", 30), 7: users_named("b", 50)}
    groups = [(4, 30), (5, 50), (5, 20)]
    result = go_on(groups, [*old[3], *old[7], *users_named("new", 20)], last_run(old))
    assert result.how == "continued"
    assert result.ids.tolist() == [3, 7]
    clustering = result.selection.clustering
    assert clustering.labels.tolist() == [0] * 30 + [1] * 70
    assert clustering.rule.assign(points_of(groups)).tolist() == clustering.labels.tolist()
    assert result.selection.k_from == "last_run"
    assert result.selection.decision.clusters_found is True
    assert result.found_again == pytest.approx(1.0)
    assert result.flows.tolist() == [[30, 0], [0, 50]]
    assert result.new_users.tolist() == [0, 20]
    assert result.last_name(1) == "name of 7"
    assert kinds(result) == {("kept", 3), ("kept", 7)}
    assert (result.anew.k, result.anew.ari) == (2, 1.0)
    chosen = result.selection.to_record().to_json()
    assert chosen["chosen_k"] == 2
    (row,) = [row for row in chosen["by_k"] if row["k"] == 2]
    assert row["sizes"] == [30, 70]


def test_a_planted_split_a_merge_and_a_cluster_that_vanished():
    old = {
        0: users_named("a", 60),
        1: users_named("b", 40),
        2: users_named("c", 40),
        3: users_named("gone", 40),
    }
    half = np.eye(DIM)[6] * 0.8
    groups = [(np.eye(DIM)[0] + half, 35), (np.eye(DIM)[0] - half, 25), (1, 40), (1, 40)]
    result = go_on(groups, [*old[0], *old[1], *old[2]], last_run(old))
    assert result.how == "continued"
    assert kinds(result) == {("kept", 0), ("merged", 1), ("split off", 4), ("retired", 3)}
    assert result.ids.tolist() == [0, 1, 4]
    assert result.next_id == 5
    assert result.flows.tolist() == [[35, 0, 25], [0, 40, 0], [0, 40, 0], [0, 0, 0]]
    assert result.in_words()[0].startswith("The last run's 4 clusters go on, found again by 140")
    assert "No. 3 was retired: none of its users is known here." in result.in_words()
    assert result.to_record().last.ids == [0, 1, 2, 3]


def test_too_few_common_users_start_afresh_with_numbers_of_their_own():
    old = {0: users_named("a", 30), 1: users_named("b", 30)}
    users = [*old[0][:5], *old[1][:4], *users_named("new", 91)]
    result = go_on([(0, 50), (1, 50)], users, last_run(old))
    assert (result.how, result.common) == ("afresh", 9)
    assert result.ids.tolist() == [2, 3]
    assert result.next_id == 4
    assert result.changes == []
    assert "9 of the 100 users are known" in result.reason
    assert result.in_words() == [result.reason]
    one_more = go_on([(0, 50), (1, 50)], [*old[0][:5], "b7", *users[5:99]], last_run(old))
    assert one_more.how != "afresh"


def test_other_settings_make_other_clusters_that_keep_the_numbers_of_their_users():
    old = {0: users_named("a", 40), 1: users_named("b", 60), 2: users_named("c", 30)}
    last = last_run(old, settings=clustering_settings(CONFIG.updated({"pca": 3})))
    result = go_on(
        [(0, 40), (1, 60), (2, 30), (3, 80)],
        users_named("a", 40) + [*old[1], *old[2], *users_named("new", 80)],
        last,
    )
    assert result.how == "matched"
    assert "clustering.pca" in result.reason
    # Made anew they were numbered by size: new, b, a, c.
    assert result.ids.tolist() == [0, 1, 2, 3]
    labels = result.selection.clustering.labels
    assert labels.tolist() == [0] * 40 + [1] * 60 + [2] * 30 + [3] * 80
    assert kinds(result) == {("kept", 0), ("kept", 1), ("kept", 2), ("created", 3)}
    candidate = result.selection.decision.candidate
    assert candidate.sizes == [40, 60, 30, 80]
    assert candidate.gap is not None
    assert result.selection.separated.tolist() == (~np.eye(4, dtype=bool)).tolist()


@pytest.mark.parametrize(
    ("changes", "config", "max_clusters", "words"),
    [
        ({"algorithm": "gaussian_mixture"}, CONFIG, 5, "gaussian_mixture cannot start from"),
        ({}, CONFIG, 1, "there were 2, more than run.max_clusters=1"),
    ],
)
def test_what_cannot_be_continued_is_made_anew(changes, config, max_clusters, words):
    old = {0: users_named("a", 40), 1: users_named("b", 60)}
    last = last_run(old, config, **changes)
    result = go_on([(0, 40), (1, 60)], [*old[0], *old[1]], last, config, max_clusters)
    assert result.how == "matched"
    assert words in result.reason


def test_a_set_k_moves_and_is_kept_to():
    config = CONFIG.updated({"k": 2})
    old = {4: users_named("a", 60), 6: users_named("b", 60)}
    # Two of these heaps were one cluster: without the setting it would split.
    groups = [(0, 30), (1, 30), (2, 60)]
    result = go_on(groups, [*old[4], *old[6]], last_run(old, config), config)
    assert (result.how, result.ids.tolist()) == ("continued", [4, 6])
    assert result.selection.clustering.sizes == [60, 60]
    alone = go_on(
        [(0, 60), (1, 60)], [*old[4], *users_named("x", 60)], last_run(old, config), config
    )
    assert alone.how == "matched"
    assert "clustering.k is 2 and users of 1 clusters came back" in alone.reason


def test_clusters_that_are_not_in_the_new_space_are_not_continued():
    """Old labels that have nothing to do with where the users are now."""
    users = users_named("u", 200)
    order = np.random.default_rng(5).permutation(200)
    old = {0: [users[i] for i in order[:100]], 1: [users[i] for i in order[100:]]}
    result = go_on([(0, 100), (1, 100)], users, last_run(old))
    assert result.how == "matched"
    assert result.found_again < 0.1
    assert "do not lie together in the new embeddings" in result.reason


def test_what_a_continuum_was_cut_into_goes_on():
    """A fresh cut of a round cloud has arbitrary borders; a continued one has last run's."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(600, 2)).astype(np.float32)
    users = users_named("u", 600)
    quadrant = (plane[:, 0] > 0) * 2 + (plane[:, 1] > 0)
    old = {k: [users[i] for i in np.flatnonzero(quadrant == k)] for k in range(4)}
    last = last_run(old, separated=np.zeros((4, 4), dtype=bool))
    turned = plane @ ortho_group.rvs(2, random_state=3)
    selection = select_clustering(turned, CONFIG, 5)
    result = continue_clusters(turned, pa.array(users), selection, last, CONFIG, 5)
    assert result.how == "continued"
    assert kinds(result) == {("kept", k) for k in range(4)}
    assert np.trace(result.flows) > 0.8 * 600
    assert result.selection.decision.clusters_found is False


def test_valleys_of_continued_clusters_are_looked_for_with_fits_that_know_only_their_half():
    """Halves that start where all points are split find valleys in any cloud of many dimensions."""
    cloud = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    users = users_named("u", 200)
    cut = LloydKMeans(2, n_init=1, random_state=0).fit_predict(cloud)
    old = {k: [users[i] for i in np.flatnonzero(cut == k)] for k in range(2)}
    last = last_run(old, separated=np.zeros((2, 2), dtype=bool))
    selection = select_clustering(cloud, CONFIG, 2)
    result = continue_clusters(cloud, pa.array(users), selection, last, CONFIG, 2)
    assert result.how == "continued"
    candidate = result.selection.decision.candidate
    centroids = candidate.clustering.centroids

    def ratio(init, n_init):
        def fit(half):
            model = LloydKMeans(2, init=init, n_init=n_init, random_state=CONFIG.seed)
            return model.fit(half).cluster_centers_

        return measure_separation(cloud, fit, centroids, CONFIG.seed).ratios[0, 1]

    found = candidate.separation.ratios[0, 1]
    assert found == pytest.approx(ratio("k-means++", CONFIG.restarts))
    assert found > 1.2 * ratio(centroids, 1)


def test_the_same_inputs_give_the_same_clusters():
    old = {0: users_named("a", 40), 1: users_named("b", 60)}
    one, two = (
        go_on([(0, 40), (1, 60)], [*old[0], *old[1]], last_run(old)).to_record() for _ in range(2)
    )
    assert one == two
