"""Clusters that are known: found where they are planted, and worth something only there.

The judgement is checked, not the encoder: users are represented by the categories that they buy,
and models are counts of which item follows which, for all users or for those of a cluster.
"""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from components.cluster_combiner.worth import judge
from components.sequence_clusterer.choice.selection import select_clustering
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.sample.space import fit_space
from tfx_pipeline.simulation import SimulationConfig, simulate
from trainer.evaluation.metrics import BASKET_PRIMARY, user_values

pytestmark = pytest.mark.slow

USERS = 2_000
ITEMS = 400


def judged(**settings):
    """The judgement of a simulated log, with what was planted."""
    log = simulate(
        SimulationConfig(users=USERS, items=ITEMS, categories=8, events_per_user=30, **settings)
    )
    events = log.events.join(log.items.select("item_id", "category"), on="item_id").sort(
        "user_id", "timestamp"
    )
    users = events["user_id"].rank("dense").to_numpy().astype(int) - 1
    items = events["item_id"].rank("dense").to_numpy().astype(int) - 1
    categories = events["category"].rank("dense").to_numpy().astype(int) - 1

    shares = np.zeros((USERS, 8), np.float32)
    np.add.at(shares, (users, categories), 1)
    embeddings = np.sqrt(shares / shares.sum(axis=1, keepdims=True))
    config = ClusteringConfig(restarts=3, pca=4)
    points = fit_space(embeddings, config).points(embeddings)
    chosen = select_clustering(points, config, max_clusters=6)
    clusters = chosen.clustering.rule.assign(points)
    labels = log.labels.sort("user_id")["label"].to_numpy()
    return SimpleNamespace(
        chosen=chosen,
        agreement=adjusted_rand_score(labels, clusters),
        worth=judge(_values(users, items, clusters), used=True),
    )


def _values(users, items, clusters):
    """NDCG@10 of every user's last item (test) and the one before (validation)."""
    position = np.arange(len(users))
    last = np.flatnonzero(np.diff(users, append=-1))
    splits = {"validation": last - 1, "test": last}
    known = np.setdiff1d(position, np.concatenate([last, last - 1]))
    steps = known[1:][users[known[1:]] == users[known[1:] - 1]]
    random = np.random.default_rng(0).permutation(clusters)
    everyone = _next_items(items, steps)
    tables = []
    for split, targets in splits.items():
        columns = {
            "global": _rank(everyone, items, targets),
            "continued": _rank(_next_items(items, steps, 2), items, targets),
        }
        for name, parts in (("combiner", clusters), ("random_combiner", random)):
            columns[name] = np.zeros(USERS, int)
            for part in np.unique(parts):
                own = _next_items(items, steps[parts[users[steps]] == part])
                mine = parts == part
                # Half of the weight to everyone's counts, as specialists start from the encoder.
                columns[name][mine] = _rank((own + everyone) / 2, items, targets[mine])
        values = {
            f"{name}_{BASKET_PRIMARY}": user_values(ranks, "ndcg@10")
            for name, ranks in columns.items()
        }
        tables.append(pl.DataFrame({"split": [split] * USERS, "cluster": clusters, **values}))
    return pl.concat(tables)


def _next_items(items, steps, times=1):
    """float [ITEMS, ITEMS], the smoothed shares of what follows each item."""
    counts = np.zeros((ITEMS, ITEMS))
    np.add.at(counts, (items[steps - 1], items[steps]), times)
    popular = np.bincount(items[steps], minlength=ITEMS) / len(steps)
    return (counts + 5 * popular) / (counts.sum(axis=1, keepdims=True) + 5)


def _rank(shares, items, targets):
    scores = shares[items[targets - 1]]
    return 1 + (scores > np.take_along_axis(scores, items[targets][:, None], axis=1)).sum(axis=1)


@pytest.fixture(scope="module")
def distinct():
    return judged(clusters=4, taste=1.0, habits=1.0)


@pytest.fixture(scope="module")
def without():
    return judged(clusters=1, individuality=0.2)


def test_planted_clusters_are_found(distinct):
    assert distinct.chosen.decision.clusters_found is True
    assert distinct.chosen.clustering.k == 4
    assert distinct.agreement >= 0.95


def test_specialists_of_planted_clusters_are_worth_it(distinct):
    assert distinct.worth.recommendation == "combination", distinct.worth.why
    verdict = distinct.worth.verdict
    assert verdict.effect == "helps"
    assert verdict.hurts == []
    assert verdict.helps == [0, 1, 2, 3]
    assert verdict.beats == {"random_combiner": True, "continued": True}


def test_of_a_continuum_is_said_that_there_are_no_clusters(without):
    assert without.chosen.decision.clusters_found is False
    assert "No clusters found" in without.chosen.reason


def test_specialists_of_parts_of_a_continuum_are_not_worth_it(without):
    assert without.worth.recommendation != "combination", without.worth.why
    assert without.worth.verdict.helps == []
    assert without.worth.verdict.effect != "helps"
